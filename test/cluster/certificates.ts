import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TransportIdentity } from '../../src/cluster/transport/transport.ts';

export interface CertificateSpec {
  readonly name: string;
  /** What the subject alternative name says; the name unless told otherwise. */
  readonly claimedName?: string;
  readonly clusterId?: string;
  /** Ended in 2021. */
  readonly isExpired?: true;
}

export interface Issued {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A cluster's CA, made by the `openssl` command: an implementation that is not ours. */
export class TestAuthority {
  readonly clusterId: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'meridian-ca-'));
  #count = 0;

  constructor(clusterId: string) {
    this.clusterId = clusterId;
    const extensions = ['-addext', 'basicConstraints=critical,CA:TRUE'];
    this.#openssl([
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-subj',
      '/CN=Test CA',
      ...extensions,
    ]);
    writeFileSync(join(this.#directory, 'index.txt'), '');
    writeFileSync(join(this.#directory, 'ca.conf'), opensslConfiguration);
  }

  get certificatePem(): string {
    return this.#read('ca.pem');
  }

  issue(spec: CertificateSpec): Issued {
    this.#count += 1;
    const file = `${this.#count}`;
    const { name, clusterId = this.clusterId, claimedName = name } = spec;
    const extension = `subjectAltName=URI:meridian://${clusterId}/${claimedName},DNS:${name},IP:127.0.0.1`;
    const subject = ['-subj', `/CN=${name}`, '-addext', extension];
    this.#openssl(['req', '-new', ...newKey, '-keyout', `${file}.key`, '-out', `${file}.csr`, ...subject]);
    const dates = spec.isExpired
      ? ['-startdate', '20200101000000Z', '-enddate', '20210101000000Z']
      : ['-days', '30'];
    const files = ['-in', `${file}.csr`, '-out', `${file}.pem`];
    this.#openssl(['ca', '-config', 'ca.conf', '-batch', '-notext', ...dates, ...files]);
    return { certificatePem: this.#read(`${file}.pem`), privateKeyPem: this.#read(`${file}.key`) };
  }

  identity(spec: CertificateSpec, revoked: ReadonlySet<string> = new Set()): TransportIdentity {
    const { name, clusterId = this.clusterId } = spec;
    const caCertificatesPem = [this.certificatePem];
    return {
      name,
      clusterId,
      caCertificatesPem,
      isRevoked: (serial) => revoked.has(serial),
      ...this.issue(spec),
    };
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #read(file: string): string {
    return readFileSync(join(this.#directory, file), 'utf8');
  }

  #openssl(args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.#directory, stdio: 'pipe' });
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

const opensslConfiguration = `
[ca]
default_ca = this
[this]
dir = .
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
rand_serial = yes
[any]
commonName = supplied
`;
