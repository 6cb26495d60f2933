//! Tokens to a tree. What Go refuses while it parses is refused here: unknown functions, undefined variables, open blocks.

use std::{collections::HashMap, ops::Range};

use super::{
    Host, Unit, functions,
    lexer::{Kind, Token, Wrong, tokens},
};
use crate::{Diagnostic, suggest::nearest};

/// Deepest nesting of blocks and parentheses.
const DEEPEST: usize = 50;

#[derive(Debug)]
pub(super) enum Node {
    Text(Range<usize>),
    /// Where its `{{` stands, and what it says.
    Action(usize, Pipe),
    /// `if`, or `with`, which also changes the dot.
    Choice {
        with: bool,
        branches: Vec<(Pipe, Vec<Node>)>,
        otherwise: Vec<Node>,
    },
    Range {
        pipe: Pipe,
        body: Vec<Node>,
        otherwise: Vec<Node>,
    },
    Template {
        at: usize,
        name: String,
        pipe: Option<Pipe>,
    },
    Break,
    Continue,
}

#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) at: usize,
    pub(super) variables: Vec<String>,
    /// With `=`, not `:=`.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Vec<Operand>>,
}

#[derive(Debug)]
pub(super) struct Operand {
    pub(super) at: usize,
    pub(super) what: What,
    /// Names after it, each with a dot.
    pub(super) fields: Vec<String>,
}

#[derive(Debug)]
pub(super) enum What {
    Function(String),
    Dot,
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Quoted(String),
    Variable(String),
    Group(Box<Pipe>),
}

#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) body: Vec<Node>,
    pub(super) named: HashMap<String, Vec<Node>>,
}

pub(super) fn parse(unit: &Unit, host: &dyn Host) -> Result<Tree, Diagnostic> {
    let wrong = |(at, message): Wrong| unit.says(at, message);
    let tokens = tokens(unit.text()).map_err(wrong)?;
    let mut parser = Parser {
        tokens,
        next: 0,
        host,
        variables: vec!["$".to_owned()],
        named: HashMap::new(),
        depth: 0,
        loops: 0,
        end: unit.text().len(),
    };
    let body = match parser.list(true).map_err(wrong)? {
        (body, Ended::File) => body,
        (_, ended) => {
            return Err(unit.says(ended.at(), format!("`{{{{{}}}}}` without a block that it belongs to", ended.word())));
        }
    };
    Ok(Tree { body, named: parser.named })
}

/// What ended a list of nodes.
enum Ended {
    File,
    End(usize),
    /// The rest of the action is not read yet.
    Else(usize),
}

impl Ended {
    fn at(&self) -> usize {
        match self {
            Self::File => 0,
            Self::End(at) | Self::Else(at) => *at,
        }
    }

    fn word(&self) -> &'static str {
        if matches!(self, Self::Else(_)) { "else" } else { "end" }
    }
}

struct Parser<'h> {
    tokens: Vec<Token>,
    next: usize,
    host: &'h dyn Host,
    variables: Vec<String>,
    named: HashMap<String, Vec<Node>>,
    depth: usize,
    loops: usize,
    end: usize,
}

type Parsed<T> = Result<T, Wrong>;

impl Parser<'_> {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.next).map(|t| &t.kind)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |t| t.at)
    }

    fn spaced(&self) -> bool {
        self.tokens.get(self.next).is_none_or(|t| t.spaced)
    }

    fn take(&mut self, kind: &Kind) -> bool {
        let taken = self.peek() == Some(kind);
        self.next += usize::from(taken);
        taken
    }

    fn take_word(&mut self, word: &str) -> bool {
        let taken = matches!(self.peek(), Some(Kind::Word(w)) if w == word);
        self.next += usize::from(taken);
        taken
    }

    fn close(&mut self, context: &str) -> Parsed<()> {
        if self.take(&Kind::Close) { Ok(()) } else { Err((self.at(), format!("unexpected text in `{context}`"))) }
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEEPEST {
            return Err((self.at(), format!("blocks and parentheses are nested deeper than {DEEPEST} levels")));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Nodes up to `end`, `else` or the end of the file.
    fn list(&mut self, top: bool) -> Parsed<(Vec<Node>, Ended)> {
        let mut nodes = Vec::new();
        loop {
            let at = self.at();
            match self.tokens.get(self.next).map(|t| t.kind.clone()) {
                None => return Ok((nodes, Ended::File)),
                Some(Kind::Text(range)) => {
                    self.next += 1;
                    nodes.push(Node::Text(range));
                    continue;
                }
                Some(_) => self.next += 1,
            }
            let word = if let Some(Kind::Word(word)) = self.peek() { word.clone() } else { String::new() };
            let keyword = matches!(
                word.as_str(),
                "end" | "else" | "if" | "with" | "range" | "template" | "block" | "define" | "break" | "continue"
            );
            if !keyword {
                let pipe = self.pipe("the action", 1)?;
                self.close("{{ … }}")?;
                self.declare(&pipe);
                nodes.push(Node::Action(at, pipe));
                continue;
            }
            self.next += 1;
            match word.as_str() {
                "end" => {
                    self.close("{{ end }}")?;
                    return Ok((nodes, Ended::End(at)));
                }
                "else" => return Ok((nodes, Ended::Else(at))),
                "define" if top => self.define(at)?,
                "define" => return Err((at, "`define` stands inside no other block".to_owned())),
                "break" | "continue" => {
                    self.close(&word)?;
                    if self.loops == 0 {
                        return Err((at, format!("`{word}` stands outside of a `range`")));
                    }
                    nodes.push(if word == "break" { Node::Break } else { Node::Continue });
                }
                _ => nodes.push(self.deeper(|parser| parser.block(&word, at))?),
            }
        }
    }

    /// A list of its own scope; `what` and `open` are the block's, for errors.
    fn body(&mut self, what: &str, open: usize) -> Parsed<(Vec<Node>, Ended)> {
        let scope = self.variables.len();
        let (nodes, ended) = self.list(false)?;
        self.variables.truncate(scope);
        match ended {
            Ended::File => Err((open, format!("this `{what}` has no `{{{{ end }}}}`"))),
            ended => Ok((nodes, ended)),
        }
    }

    fn block(&mut self, word: &str, at: usize) -> Parsed<Node> {
        let scope = self.variables.len();
        let node = match word {
            "if" | "with" => self.choice(word, at)?,
            "range" => self.range(at)?,
            "template" => {
                let name = self.name("template")?;
                let pipe = if self.peek() == Some(&Kind::Close) { None } else { Some(self.pipe("template", 1)?) };
                self.close("template")?;
                Node::Template { at, name, pipe }
            }
            _ => {
                let name = self.name("block")?;
                let pipe = self.pipe("block", 1)?;
                self.close("block")?;
                self.named_body("block", name.clone(), at)?;
                Node::Template { at, name, pipe: Some(pipe) }
            }
        };
        self.variables.truncate(scope);
        Ok(node)
    }

    fn choice(&mut self, word: &str, at: usize) -> Parsed<Node> {
        let (mut branches, mut otherwise) = (Vec::new(), Vec::new());
        loop {
            let pipe = self.pipe(word, 1)?;
            self.close(word)?;
            self.declare(&pipe);
            let (body, ended) = self.body(word, at)?;
            branches.push((pipe, body));
            if matches!(ended, Ended::End(_)) {
                break;
            }
            if self.take(&Kind::Close) {
                otherwise = self.otherwise(word, at)?;
                break;
            }
            if !self.take_word(word) {
                return Err((self.at(), format!("after `else` stands `}}}}` or `{word}`")));
            }
        }
        Ok(Node::Choice { with: word == "with", branches, otherwise })
    }

    fn otherwise(&mut self, word: &str, at: usize) -> Parsed<Vec<Node>> {
        match self.body(word, at)? {
            (nodes, Ended::End(_)) => Ok(nodes),
            (_, ended) => Err((ended.at(), format!("this `{word}` has an `else` already"))),
        }
    }

    fn range(&mut self, at: usize) -> Parsed<Node> {
        let pipe = self.pipe("range", 2)?;
        self.close("range")?;
        self.declare(&pipe);
        self.loops += 1;
        let body = self.body("range", at);
        self.loops -= 1;
        let (body, ended) = body?;
        let mut otherwise = Vec::new();
        if let Ended::Else(_) = ended {
            self.close("else")?;
            otherwise = self.otherwise("range", at)?;
        }
        Ok(Node::Range { pipe, body, otherwise })
    }

    fn name(&mut self, what: &str) -> Parsed<String> {
        match self.peek().cloned() {
            Some(Kind::Quoted(name)) => {
                self.next += 1;
                Ok(name)
            }
            _ => Err((self.at(), format!("`{what}` needs a name in quotes"))),
        }
    }

    fn define(&mut self, at: usize) -> Parsed<()> {
        let name = self.name("define")?;
        self.close("define")?;
        self.deeper(|parser| parser.named_body("define", name, at))
    }

    /// What a name stands for; it sees no variable of where it stands.
    fn named_body(&mut self, what: &str, name: String, at: usize) -> Parsed<()> {
        let outside = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let loops = std::mem::take(&mut self.loops);
        let body = self.body(what, at);
        self.variables = outside;
        self.loops = loops;
        let (nodes, ended) = body?;
        if let Ended::Else(at) = ended {
            return Err((at, format!("`{what}` has no `else`")));
        }
        if self.named.contains_key(&name) {
            return Err((at, format!("the template {name:?} is defined twice")));
        }
        self.named.insert(name, nodes);
        Ok(())
    }

    fn declare(&mut self, pipe: &Pipe) {
        if !pipe.assigns {
            self.variables.extend(pipe.variables.iter().cloned());
        }
    }

    /// `$a := …`, `$a = …`, of `range` also `$a, $b := …`.
    fn targets(&mut self, most: usize) -> Parsed<(Vec<String>, bool)> {
        let start = self.next;
        let mut names = Vec::new();
        loop {
            let at = self.at();
            let Some(Kind::Variable(name)) = self.peek().cloned() else { break };
            self.next += 1;
            names.push(name);
            match self.peek() {
                Some(Kind::Comma) if names.len() < most => self.next += 1,
                Some(Kind::Comma) => return Err((self.at(), "too many variables are declared at once".to_owned())),
                Some(Kind::Declare) => {
                    self.next += 1;
                    return Ok((names, false));
                }
                Some(Kind::Assign) => {
                    self.next += 1;
                    if let Some(unknown) = names.iter().find(|n| !self.variables.contains(n)) {
                        return Err((
                            at,
                            format!("the variable `{unknown}` is not declared yet; declare it with `:=`"),
                        ));
                    }
                    return Ok((names, true));
                }
                _ => break,
            }
        }
        self.next = start;
        Ok((Vec::new(), false))
    }

    fn pipe(&mut self, context: &str, most: usize) -> Parsed<Pipe> {
        let at = self.at();
        let (variables, assigns) = self.targets(most)?;
        let mut commands: Vec<Vec<Operand>> = Vec::new();
        loop {
            let start = self.at();
            let command = self.command()?;
            match command.first() {
                None => return Err((start, format!("`{context}` lacks a value"))),
                Some(first) if !commands.is_empty() && !first.callable() => {
                    return Err((first.at, "what follows `|` must be a function".to_owned()));
                }
                Some(first) if matches!(first.what, What::Nil) => {
                    return Err((first.at, "`nil` can only be an argument".to_owned()));
                }
                Some(_) => commands.push(command),
            }
            if !self.take(&Kind::Pipe) {
                return Ok(Pipe { at, variables, assigns, commands });
            }
        }
    }

    fn command(&mut self) -> Parsed<Vec<Operand>> {
        let mut operands = Vec::new();
        while let Some(operand) = self.operand()? {
            operands.push(operand);
            match self.peek() {
                Some(Kind::Close | Kind::Right | Kind::Pipe) | None => break,
                Some(_) if self.spaced() => {}
                Some(_) => return Err((self.at(), "a space is missing before this".to_owned())),
            }
        }
        Ok(operands)
    }

    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let at = self.at();
        let what = match self.peek().cloned() {
            Some(Kind::Word(word)) if word == "nil" => What::Nil,
            Some(Kind::Word(word)) => What::Function(self.function(word)?),
            Some(Kind::Bool(b)) => What::Bool(b),
            Some(Kind::Int(n)) => What::Int(n),
            Some(Kind::Float(f)) => What::Float(f),
            Some(Kind::Quoted(text)) => What::Quoted(text),
            Some(Kind::Dot) => What::Dot,
            Some(Kind::Field(name)) => {
                self.next += 1;
                return Ok(Some(Operand { at, what: What::Dot, fields: self.fields(vec![name]) }));
            }
            Some(Kind::Variable(name)) => {
                if !self.variables.contains(&name) {
                    return Err((at, undefined(&name, &self.variables)));
                }
                What::Variable(name)
            }
            Some(Kind::Left) => {
                self.next += 1;
                let pipe = self.deeper(|parser| parser.pipe("( … )", 0))?;
                if self.peek() != Some(&Kind::Right) {
                    return Err((at, "this parenthesis is not closed".to_owned()));
                }
                What::Group(Box::new(pipe))
            }
            Some(Kind::Close | Kind::Right | Kind::Pipe) | None => return Ok(None),
            Some(_) => return Err((at, "this cannot stand here".to_owned())),
        };
        self.next += 1;
        let fields = self.fields(Vec::new());
        let literal = matches!(what, What::Nil | What::Bool(_) | What::Int(_) | What::Float(_) | What::Quoted(_));
        if literal && !fields.is_empty() {
            return Err((at, "a literal has no fields".to_owned()));
        }
        Ok(Some(Operand { at, what, fields }))
    }

    /// Fields that follow without a space.
    fn fields(&mut self, mut fields: Vec<String>) -> Vec<String> {
        while !self.spaced() {
            let Some(Kind::Field(name)) = self.peek().cloned() else { break };
            self.next += 1;
            fields.push(name);
        }
        fields
    }

    fn function(&self, name: String) -> Parsed<String> {
        let known = || functions::BUILT_IN.iter().chain(self.host.functions()).map(|(name, ..)| *name);
        if known().any(|k| k == name) {
            return Ok(name);
        }
        let near = nearest(&name, known()).map(|k| format!("; did you mean `{k}`?")).unwrap_or_default();
        Err((self.at(), format!("there is no function `{name}`{near}")))
    }
}

fn undefined(name: &str, known: &[String]) -> String {
    let near = nearest(name, known.iter().map(String::as_str).filter(|k| *k != "$"));
    let near = near.map(|k| format!("; did you mean `{k}`?")).unwrap_or_default();
    format!("the variable `{name}` is not declared here{near}")
}

impl Operand {
    /// Whether it may take the value of a pipeline.
    fn callable(&self) -> bool {
        !self.fields.is_empty() || matches!(self.what, What::Function(_) | What::Variable(_) | What::Group(_))
    }
}
