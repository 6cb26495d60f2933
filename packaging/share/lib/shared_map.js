// A map in one memory of a plugin, which people change together: what `lists` and `links` keep.

module.exports = function ({ ret }) {
  class SharedMap {
    /** `what` is what people call all of it. */
    constructor(bot, key, what) {
      this.bot = bot;
      this.key = key;
      this.what = what;
    }

    /** All entries; `write` keeps others from changing them until `save` or `leave`. */
    open(write) {
      this.memory = this.bot.CheckoutDatum(this.key, write);
      if (this.memory.retVal !== ret.Ok) return this.#failed("had", this.memory.retVal);
      return new Map(Object.entries(this.memory.datum ?? {}));
    }

    leave() {
      this.bot.CheckinDatum(this.memory);
    }

    /** Remembers all entries, and says so; or that it failed. */
    save(all, text) {
      this.memory.datum = Object.fromEntries(all);
      const saved = this.bot.UpdateDatum(this.memory);
      if (saved === ret.Ok) this.bot.Say(text);
      else this.#failed("saved", saved);
    }

    #failed(done, why) {
      this.bot.Log("error", `the ${this.what} could not be ${done}: ${ret.string(why)}`);
      this.bot.Reply(`Sorry, I can't get at my ${this.what} right now; an administrator finds out more in my log.`);
      return undefined;
    }
  }

  return SharedMap;
};
