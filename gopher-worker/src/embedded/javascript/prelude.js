// The names that every script finds: `process` and `console` before it is known, `require`, `module` and `exports` then.
(function (native, http) {
  "use strict";

  const cache = Object.create(null);
  let main;

  function made(path) {
    const module = { id: path, filename: path, exports: {}, loaded: false };
    cache[path] = module;
    return module;
  }

  function directory(path) {
    return path.slice(0, path.lastIndexOf("/")) || "/";
  }

  /** What a file exports; in a cycle, what it has exported so far. */
  function load(path) {
    if (cache[path] !== undefined) return cache[path].exports;
    const module = made(path);
    try {
      if (path.endsWith(".json")) {
        module.exports = parsed(path);
      } else {
        const from = directory(path);
        native.compile(path).call(module.exports, module.exports, requiring(from), module, path, from);
      }
      module.loaded = true;
    } finally {
      if (!module.loaded) delete cache[path];
    }
    return module.exports;
  }

  function parsed(path) {
    const text = native.read(path);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new SyntaxError(`${path}: ${error.message}`);
    }
  }

  /** `require` for the files of a directory. */
  function requiring(from) {
    function resolve(id) {
      if (typeof id !== "string" || id === "") {
        throw new TypeError("require: the argument `id` (number 1) must be a text that is not empty");
      }
      if (id === "http") return id;
      const path = native.resolve(from, id);
      if (path == null) {
        throw Object.assign(new Error(`Cannot find module '${id}'`), { code: "MODULE_NOT_FOUND" });
      }
      return path;
    }
    function require(id) {
      const path = resolve(id);
      return path === "http" ? http : load(path);
    }
    return Object.assign(require, { resolve, cache, main });
  }

  /** A value as `console` prints it. */
  function shown(value) {
    if (typeof value !== "object" || value === null) return String(value);
    if (value instanceof Error) return `${value}\n${value.stack ?? ""}`.trimEnd();
    try {
      return JSON.stringify(value) ?? String(value);
    } catch {
      return Object.prototype.toString.call(value);
    }
  }

  const printing = (error) => (...values) => native.print(values.map(shown).join(" "), error);

  const process = {
    argv: [],
    exit(code = 0) {
      if (!Number.isInteger(code)) {
        throw new TypeError("process.exit: the argument `code` (number 1) must be a whole number");
      }
      native.exit(code);
      // The script is interrupted here, and nothing of it catches that.
      for (;;);
    },
  };
  const console = {
    log: printing(false),
    info: printing(false),
    debug: printing(false),
    warn: printing(true),
    error: printing(true),
  };

  function begin(script, argv) {
    process.argv = argv;
    main = made(script);
    return { require: requiring(directory(script)), module: main, exports: main.exports };
  }
  return { process, console, begin };
});
