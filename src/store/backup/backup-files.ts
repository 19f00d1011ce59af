/** Keys of the files among a backup's entries: the keys that seal secrets, and the id of the cluster that it is of. */
export const SEAL_KEYS_ENTRY = 'seal.key';
export const CLUSTER_ID_ENTRY = 'cluster-id';
