//! The inputs of a filter, one after another and not before they are asked for.

use std::{
    cell::RefCell,
    collections::VecDeque,
    ffi::OsString,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    rc::Rc,
};

use jaq_json::{Val, read};

use super::{options::Settings, text, yaml};
use crate::job::reason;

/// Deepest nesting of JSON; the parser calls itself for each level.
const DEEPEST: usize = 512;

type Values<'a> = Box<dyn Iterator<Item = Result<Val, String>> + 'a>;

/// An iterator over the inputs.
pub(super) struct Source<'a> {
    stdin: Option<&'a mut dyn Read>,
    directory: &'a Path,
    files: VecDeque<OsString>,
    settings: &'a Settings,
    file: Rc<RefCell<Option<String>>>,
    current: Option<Values<'a>>,
    slurped: bool,
    waiting: VecDeque<Val>,
}

impl<'a> Source<'a> {
    pub(super) fn new(
        stdin: &'a mut dyn Read,
        directory: &'a Path,
        settings: &'a Settings,
        file: Rc<RefCell<Option<String>>>,
    ) -> Self {
        let mut files: VecDeque<_> = settings.files.iter().cloned().collect();
        if files.is_empty() {
            files.push_back("-".into());
        }
        Self {
            stdin: Some(stdin),
            directory,
            files,
            settings,
            file,
            current: None,
            slurped: false,
            waiting: VecDeque::new(),
        }
    }

    /// The values of the next file.
    fn open(&mut self, name: &OsString) -> Result<Values<'a>, String> {
        let reader: Box<dyn Read + 'a> = if name == "-" {
            *self.file.borrow_mut() = None;
            match self.stdin.take() {
                Some(stdin) => Box::new(stdin),
                None => Box::new(io::empty()),
            }
        } else {
            *self.file.borrow_mut() = Some(name.to_string_lossy().into_owned());
            let opened = File::open(self.directory.join(name));
            Box::new(opened.map_err(|e| format!("{}: {}", name.display(), reason(&e)))?)
        };
        let mut reader = BufReader::with_capacity(64 * 1024, reader);
        let shown = name.to_string_lossy().into_owned();
        let named = move |why: String| if shown == "-" { why } else { format!("{shown}: {why}") };
        if self.settings.yaml_input {
            let mut content = String::new();
            reader.read_to_string(&mut content).map_err(|e| named(reason(&e)))?;
            return Ok(Box::new(yaml::documents(&content).map_err(named)?.into_iter().map(Ok)));
        }
        if self.settings.raw_input {
            return Ok(Box::new(reader.split(b'\n').map(move |line| {
                line.map(|line| text(&String::from_utf8_lossy(&line))).map_err(|e| named(reason(&e)))
            })));
        }
        let mut broken = false;
        let guarded = Guard { inner: reader, nesting: Nesting::default() };
        Ok(Box::new(read::read_many(guarded).map_while(move |value| {
            // After a mistake nothing can be told from anything.
            if broken {
                return None;
            }
            broken = value.is_err();
            Some(value.map_err(|e| named(format!("the input is no JSON: {}", reason(&e)))))
        })))
    }

    fn one(&mut self) -> Option<Result<Val, String>> {
        loop {
            if let Some(value) = self.current.as_mut().and_then(Iterator::next) {
                return Some(value.map(|value| sorted(&value)));
            }
            self.current = None;
            let name = self.files.pop_front()?;
            match self.open(&name) {
                Ok(values) => self.current = Some(values),
                Err(why) => return Some(Err(why)),
            }
        }
    }

    fn slurp(&mut self) -> Option<Result<Val, String>> {
        if std::mem::replace(&mut self.slurped, true) {
            return None;
        }
        if self.settings.raw_input {
            let mut all = String::new();
            while let Some(name) = self.files.pop_front() {
                let content = if name == "-" {
                    let mut bytes = Vec::new();
                    let read = self.stdin.take().map_or(Ok(0), |stdin| stdin.read_to_end(&mut bytes));
                    read.map(|_| bytes)
                } else {
                    std::fs::read(self.directory.join(&name))
                };
                match content {
                    Ok(content) => all.push_str(&String::from_utf8_lossy(&content)),
                    Err(error) => return Some(Err(format!("{}: {}", name.display(), reason(&error)))),
                }
            }
            return Some(Ok(Val::from(all)));
        }
        let mut items = Vec::new();
        while let Some(value) = self.one() {
            match value {
                Ok(value) if self.settings.stream => events(&value, &mut Vec::new(), &mut items),
                Ok(value) => items.push(value),
                Err(why) => return Some(Err(why)),
            }
        }
        Some(Ok(items.into_iter().collect()))
    }
}

impl Iterator for Source<'_> {
    type Item = Result<Val, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.settings.slurp {
            return self.slurp();
        }
        if !self.settings.stream {
            return self.one();
        }
        while self.waiting.is_empty() {
            match self.one()? {
                Ok(value) => {
                    let mut found = Vec::new();
                    events(&value, &mut Vec::new(), &mut found);
                    self.waiting.extend(found);
                }
                Err(why) => return Some(Err(why)),
            }
        }
        self.waiting.pop_front().map(Ok)
    }
}

/// The parts of a value as `--stream` shows them: leaves with their paths, and the end of each thing with parts.
fn events(value: &Val, path: &mut Vec<Val>, found: &mut Vec<Val>) {
    let parts: Vec<(Val, &Val)> = match value {
        Val::Arr(items) => items.iter().enumerate().map(|(at, item)| (Val::from(at), item)).collect(),
        Val::Obj(map) => map.iter().map(|(key, item)| (key.clone(), item)).collect(),
        _ => Vec::new(),
    };
    let here = |path: &[Val]| path.iter().cloned().collect::<Val>();
    let Some(last) = parts.last().map(|(key, _)| key.clone()) else {
        found.push([here(path), value.clone()].into_iter().collect());
        return;
    };
    for (key, part) in parts {
        path.push(key);
        events(part, path, found);
        path.pop();
    }
    path.push(last);
    found.push(std::iter::once(here(path)).collect());
    path.pop();
}

/// The value with the keys of its objects in order, as gojq has them.
fn sorted(value: &Val) -> Val {
    match value {
        Val::Arr(items) => items.iter().map(sorted).collect(),
        Val::Obj(map) => {
            let mut entries: Vec<_> = map.iter().map(|(key, item)| (key.clone(), sorted(item))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Val::obj(entries.into_iter().collect())
        }
        other => other.clone(),
    }
}

/// All values of a text.
pub(super) fn all(bytes: &[u8]) -> Result<Vec<Val>, String> {
    check(bytes)?;
    let values: Result<Vec<_>, _> = read::parse_many(bytes).collect();
    values.map(|values| values.iter().map(sorted).collect()).map_err(|e| format!("the input is no JSON: {e}"))
}

/// Refuses what is nested too deep for the parser.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    Nesting::default().see(bytes).map_err(|e| e.to_string())
}

/// Counts open brackets outside of strings.
#[derive(Default)]
struct Nesting {
    depth: usize,
    string: bool,
    escaped: bool,
}

impl Nesting {
    fn see(&mut self, bytes: &[u8]) -> io::Result<()> {
        for byte in bytes {
            match (self.string, byte) {
                (true, _) if self.escaped => self.escaped = false,
                (true, b'\\') => self.escaped = true,
                (_, b'"') => self.string = !self.string,
                (false, b'[' | b'{') => self.depth += 1,
                (false, b']' | b'}') => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            if self.depth > DEEPEST {
                return Err(io::Error::other(format!("it is nested more than {DEEPEST} deep")));
            }
        }
        Ok(())
    }
}

/// A reader that refuses what is nested too deep.
struct Guard<R> {
    inner: R,
    nesting: Nesting,
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.nesting.see(&buffer[..count])?;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Guard<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    /// Everything goes through `read`, as the parser takes byte by byte.
    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
    }
}
