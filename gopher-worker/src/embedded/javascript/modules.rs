//! `require`, `process` and `console`: what scripts in JavaScript make of this process. Their own part is in the files
//! beside this one that end in `.js`.

use std::{
    cell::{Cell, OnceCell},
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    rc::Rc,
};

use rquickjs::{Ctx, Exception, Function, Object, Persistent, Result, Value, context::EvalOptions};

use super::{Exit, convert::text, fetch};
use crate::embedded::{Script, attention, http};

const PRELUDE: &str = include_str!("prelude.js");
const HTTP: &str = include_str!("http.js");
/// The library that most scripts begin with, as this version ships it.
const LIBRARY: &str = include_str!("../../../../packaging/share/lib/gopherbot_v1.js");

/// Its own body has run; called as a module, it gives what that exports.
const AS_MODULE: &str = "(function (library) {
  const made = { exports: {} };
  library.call(made.exports, made.exports, undefined, made, 'gopherbot_v1.js', '');
  return function (_exports, _require, module) { module.exports = made.exports; };
})";

/// What is there before a script is known.
pub(super) struct Modules {
    begin: Persistent<Function<'static>>,
    libraries: Libraries,
}

/// Directories of libraries, once they are known.
type Libraries = Rc<OnceCell<Vec<PathBuf>>>;

impl Modules {
    pub(super) fn prepare(ctx: &Ctx<'_>, exit: &Exit) -> Result<Self> {
        let libraries = Libraries::default();
        let native = native(ctx, exit, &libraries)?;
        let http: Object<'_> = evaluate(ctx, "gopher:http", HTTP.to_owned())?.call((native.clone(),))?;
        let names: Object<'_> = evaluate(ctx, "gopher:prelude", PRELUDE.to_owned())?.call((native, http))?;
        for name in ["process", "console"] {
            ctx.globals().set(name, names.get::<_, Object<'_>>(name)?)?;
        }
        Ok(Self { begin: Persistent::save(ctx, names.get::<_, Function<'_>>("begin")?), libraries })
    }

    /// Gives a script its names.
    pub(super) fn begin<'js>(self, ctx: &Ctx<'js>, script: &Script<'_>) -> Result<()> {
        let _ = self.libraries.set(script.libraries.iter().map(PathBuf::from).collect());
        let argv: Vec<&str> =
            ["gopher-worker", script.path].into_iter().chain(script.args.iter().map(String::as_str)).collect();
        let names: Object<'js> = self.begin.restore(ctx)?.call((script.path, argv))?;
        for entry in names.props::<String, Value<'js>>() {
            let (name, value) = entry?;
            ctx.globals().set(name, value)?;
        }
        Ok(())
    }
}

fn evaluate<'js>(ctx: &Ctx<'js>, filename: &str, source: String) -> Result<Function<'js>> {
    let mut options = EvalOptions::default();
    options.filename = Some(filename.to_owned());
    ctx.eval_with_options(source, options)
}

/// A module as a function, as in Node.
fn module<'js>(ctx: &Ctx<'js>, filename: &str, source: &str) -> Result<Function<'js>> {
    // What begins a script for a shell is a comment here.
    let (mark, source) = source.strip_prefix("#!").map_or(("", source), |rest| ("//", rest));
    evaluate(
        ctx,
        filename,
        format!("(function (exports, require, module, __filename, __dirname) {{{mark}{source}\n}})"),
    )
}

/// What the files in JavaScript cannot do by themselves.
fn native<'js>(ctx: &Ctx<'js>, exit: &Exit, libraries: &Libraries) -> Result<Object<'js>> {
    let native = Object::new(ctx.clone())?;
    let libraries = Rc::clone(libraries);
    let resolve =
        move |from: String, id: String| resolve(Path::new(&from), &id, libraries.get().map_or(&[][..], Vec::as_slice));
    native.set("resolve", Function::new(ctx.clone(), resolve)?)?;
    native.set("read", Function::new(ctx.clone(), |ctx: Ctx<'js>, path: String| read(&ctx, &path))?)?;
    // Run now, it need not be when it is required.
    let library = module(ctx, "gopherbot_v1.js", LIBRARY)?;
    let library: Function<'js> = evaluate(ctx, "gopher:library", AS_MODULE.to_owned())?.call((library,))?;
    let library = Cell::new(Some(Persistent::save(ctx, library)));
    native.set(
        "compile",
        Function::new(ctx.clone(), move |ctx: Ctx<'js>, path: String| -> Result<Function<'js>> {
            let source = read(&ctx, &path)?;
            // A copy of it elsewhere is another module.
            match if source == LIBRARY { library.take() } else { None } {
                Some(library) => library.restore(&ctx),
                None => module(&ctx, &path, &source),
            }
        })?,
    )?;
    native.set(
        "print",
        Function::new(ctx.clone(), |line: rquickjs::String<'js>, error: bool| -> Result<()> {
            let line = text(&line)?;
            attention::call();
            // Nobody may be left to read it.
            let _ = if error { writeln!(std::io::stderr(), "{line}") } else { writeln!(std::io::stdout(), "{line}") };
            Ok(())
        })?,
    )?;
    let exit = Rc::clone(exit);
    native.set("exit", Function::new(ctx.clone(), move |status: i32| exit.set(Some(status)))?)?;
    native.set(
        "send",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, request: Value<'js>, body: Value<'js>| {
            fetch::send(&ctx, &request, &body)
        })?,
    )?;
    native.set(
        "seconds",
        Function::new(ctx.clone(), |text: String| http::duration(&text).map(|time| time.as_secs_f64()))?,
    )?;
    Ok(native)
}

fn read(ctx: &Ctx<'_>, path: &str) -> Result<String> {
    fs::read_to_string(path)
        .map_err(|error| Exception::throw_message(ctx, &format!("the module '{path}' cannot be read: {error}")))
}

/// The file of a module, as Node finds it; the directories of libraries are searched last.
fn resolve(from: &Path, id: &str, libraries: &[PathBuf]) -> Option<String> {
    let first = id.split('/').next();
    let found = if id.starts_with('/') || matches!(first, Some("." | "..")) {
        file_or_directory(&from.join(id))
    } else {
        let near = from.ancestors().map(|directory| directory.join("node_modules")).filter(|path| path.is_dir());
        let shared = libraries.iter().flat_map(|library| [library.clone(), library.join("node_modules")]);
        near.chain(shared).find_map(|directory| file_or_directory(&directory.join(id)))
    };
    // One file is one module, by whatever way it is reached.
    let found = found.map(|path| fs::canonicalize(&path).unwrap_or(path))?;
    found.into_os_string().into_string().ok()
}

fn file_or_directory(path: &Path) -> Option<PathBuf> {
    file(path).or_else(|| {
        if !path.is_dir() {
            return None;
        }
        let described = fs::read(path.join("package.json")).ok();
        let described = described.and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
        let main = described.as_ref().and_then(|package| package.get("main")?.as_str());
        let main = main.map(|main| path.join(main));
        main.and_then(|main| file(&main).or_else(|| file(&main.join("index")))).or_else(|| file(&path.join("index")))
    })
}

fn file(path: &Path) -> Option<PathBuf> {
    let with = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    ["", ".js", ".json"].into_iter().map(with).find(|candidate| candidate.is_file())
}
