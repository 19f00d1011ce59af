/** Response codes (RFC 6895 section 2.3); those from 16 on need an OPT for their upper bits. */
export const RCODE_NOERROR = 0;
export const RCODE_FORMERR = 1;
export const RCODE_SERVFAIL = 2;
export const RCODE_NXDOMAIN = 3;
export const RCODE_NOTIMP = 4;
export const RCODE_REFUSED = 5;
export const RCODE_BADVERS = 16;
/** RFC 7873 section 8. */
export const RCODE_BADCOOKIE = 23;
