import type { Config } from '../../config/model.ts';

/** Publishes the newest configuration, one at a time: what comes while one is under way is published once, after it. */
export class Publications {
  readonly #publish: (config: Config) => Promise<void> | void;
  #next: Config | undefined;
  #running = false;

  /** `publish` must not reject. */
  constructor(publish: (config: Config) => Promise<void> | void) {
    this.#publish = publish;
  }

  add(config: Config): void {
    this.#next = config;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#next !== undefined) {
      const config = this.#next;
      this.#next = undefined;
      await this.#publish(config);
    }
    this.#running = false;
  }
}
