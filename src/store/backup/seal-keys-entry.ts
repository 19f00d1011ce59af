/** The key of the file with the keys that seal secrets, among a backup's files. */
export const SEAL_KEYS_ENTRY = 'seal.key';
