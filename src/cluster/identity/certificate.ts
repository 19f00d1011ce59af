import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';

/** Short enough that a key which was lost unnoticed does not serve for ever; renewed by the node itself long before. */
const NODE_CERTIFICATE_DAYS = 90;

/** As long as a cluster may live without anybody thinking of it. */
const CA_CERTIFICATE_DAYS = 3650;

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * A peer whose clock is behind by less still accepts a certificate that was made just now, and so do all peers one that
 * was made by a clock so far ahead. A clock that is wrong by days must not part nodes.
 */
const BACKDATED_MS = 30 * DAY_MS;

const SERIAL_OCTETS = 16;

/** RFC 5758 section 3.2: ecdsa-with-SHA256, whose parameters are left out. */
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/** RFC 4519 section 2.3. */
const COMMON_NAME = '2.5.4.3';

/** A certificate and the key that belongs to it, as PEM. */
export interface CertifiedKey {
  readonly certificatePem: string;
  /** PKCS#8. */
  readonly privateKeyPem: string;
}

/** The URI that names a node in its certificate. */
export function nodeUri(clusterId: string, name: string): string {
  return `meridian://${clusterId}/${name}`;
}

/** A certificate's serial number as resources have it: 32 hexadecimal digits, lower case. */
export function serialOf(certificatePem: string): string {
  return normalSerial(new X509Certificate(certificatePem).serialNumber);
}

/** Any way of writing a serial number, as resources write it. */
export function normalSerial(serial: string): string {
  return serial.toLowerCase().padStart(2 * SERIAL_OCTETS, '0');
}

/** What pins a CA: SHA-256 of its certificate. */
export function fingerprintOf(certificatePem: string): Uint8Array {
  return createHash('sha256').update(new X509Certificate(certificatePem).raw).digest();
}

/** A key pair on P-256, which every TLS 1.3 has (RFC 8446 section 9.1). */
export function newKeyPair(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A new certificate authority for one cluster; it signs nodes and no further authority. */
export function createAuthority(clusterId: string, nowMs: number): CertifiedKey {
  const { publicKey, privateKey } = newKeyPair();
  const name = commonName(`Meridian cluster ${clusterId}`);
  const certificatePem = signedCertificate({
    subject: name,
    issuer: name,
    publicKey,
    nowMs,
    endsAtMs: nowMs + CA_CERTIFICATE_DAYS * DAY_MS,
    signingKey: privateKey,
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), 'critical'),
      extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), 'critical'),
      extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifier(publicKey)), 'plain'),
    ],
  });
  return { certificatePem, privateKeyPem: privateKeyPem(privateKey) };
}

/** What a node's certificate says. */
interface NodeSubject {
  readonly clusterId: string;
  readonly name: string;
  readonly publicKey: KeyObject;
}

/** The certificate of one node, good for both ends of a connection. */
export function issueNodeCertificate(
  authority: { readonly certificatePem: string; readonly privateKey: KeyObject },
  { clusterId, name, publicKey }: NodeSubject,
  nowMs: number,
): string {
  const ca = new X509Certificate(authority.certificatePem);
  const issuer = AsnConvert.parse(ca.raw, Certificate).tbsCertificate.subject;
  const uri = new GeneralName({ uniformResourceIdentifier: nodeUri(clusterId, name) });
  const issuerKey = new AuthorityKeyIdentifier({
    keyIdentifier: new KeyIdentifier(keyIdentifier(ca.publicKey)),
  });
  return signedCertificate({
    subject: commonName(name),
    issuer,
    publicKey,
    nowMs,
    // No certificate outlives the one that vouches for it.
    endsAtMs: Math.min(nowMs + NODE_CERTIFICATE_DAYS * DAY_MS, ca.validToDate.getTime()),
    signingKey: authority.privateKey,
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), 'critical'),
      extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), 'critical'),
      extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth, id_kp_clientAuth]), 'plain'),
      extension(id_ce_subjectAltName, new SubjectAlternativeName([uri]), 'plain'),
      extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifier(publicKey)), 'plain'),
      extension(id_ce_authorityKeyIdentifier, issuerKey, 'plain'),
    ],
  });
}

interface CertificateParts {
  readonly subject: Name;
  readonly issuer: Name;
  readonly publicKey: KeyObject;
  readonly nowMs: number;
  readonly endsAtMs: number;
  readonly signingKey: KeyObject;
  readonly extensions: readonly Extension[];
}

function signedCertificate(parts: CertificateParts): string {
  const algorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: octets(randomSerial()),
    signature: algorithm,
    issuer: parts.issuer,
    validity: new Validity({
      notBefore: new Date(parts.nowMs - BACKDATED_MS),
      notAfter: new Date(parts.endsAtMs),
    }),
    subject: parts.subject,
    subjectPublicKeyInfo: AsnConvert.parse(spki(parts.publicKey), SubjectPublicKeyInfo),
    extensions: new Extensions([...parts.extensions]),
  });
  const signed = Buffer.from(AsnConvert.serialize(tbsCertificate));
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm: algorithm,
    signatureValue: octets(sign('sha256', signed, parts.signingKey)),
  });
  return pem(Buffer.from(AsnConvert.serialize(certificate)));
}

/** RFC 5280 section 4.1.2.2 wants it positive; with 01 on top its encoding has one length, too. */
function randomSerial(): Uint8Array {
  const serial = randomBytes(SERIAL_OCTETS);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

function commonName(text: string): Name {
  const value = new AttributeValue({ utf8String: text });
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: COMMON_NAME, value })])]);
}

function extension(extnID: string, value: unknown, importance: 'critical' | 'plain'): Extension {
  const extnValue = new OctetString(AsnConvert.serialize(value));
  return new Extension({ extnID, critical: importance === 'critical', extnValue });
}

/** RFC 5280 section 4.2.1.2 leaves the method free; this is RFC 7093 section 2, method 1. */
function keyIdentifier(publicKey: KeyObject): ArrayBuffer {
  const { subjectPublicKey } = AsnConvert.parse(spki(publicKey), SubjectPublicKeyInfo);
  const digest = createHash('sha256').update(Buffer.from(subjectPublicKey)).digest();
  return octets(digest.subarray(0, 20));
}

function spki(publicKey: KeyObject): Buffer {
  const key = publicKey.type === 'private' ? createPublicKey(publicKey) : publicKey;
  return key.export({ type: 'spki', format: 'der' });
}

function octets(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
