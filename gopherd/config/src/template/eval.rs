//! A tree to text, within limits.

use std::{cell::Cell, collections::HashMap};

use super::{
    Builder, Host, MOST_TEXT, Text, Unit, Value, functions,
    parse::{Node, Operand, Pipe, Tree, What, parse},
    value::Piece,
};
use crate::Diagnostic;

/// Most steps of one file and all that it includes; a step is a word, or 64 bytes.
const MOST_STEPS: usize = 500_000;
/// Deepest nesting of blocks, templates and parentheses, includes counted in.
const DEEPEST: usize = 80;
/// Most files that include each other.
const MOST_INCLUDES: usize = 10;

/// Where evaluation stands, shared by a file and all that it includes.
#[derive(Default)]
struct Budget {
    steps: Cell<usize>,
    depth: Cell<usize>,
    includes: Cell<usize>,
}

pub(super) fn expand(unit: &Unit, host: &dyn Host) -> Result<Text, Diagnostic> {
    expand_within(unit, host, &Budget::default())
}

fn expand_within(unit: &Unit, host: &dyn Host, budget: &Budget) -> Result<Text, Diagnostic> {
    let tree = parse(unit, host)?;
    let mut state = State {
        unit,
        host,
        budget,
        named: &tree.named,
        variables: vec![("$".to_owned(), Value::Dot)],
        dot: Value::Dot,
        out: Builder::default(),
    };
    let Tree { body, .. } = &tree;
    state.list(body)?;
    Ok(state.out.finish())
}

#[derive(PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

struct State<'a> {
    unit: &'a Unit,
    host: &'a dyn Host,
    budget: &'a Budget,
    named: &'a HashMap<String, Vec<Node>>,
    variables: Vec<(String, Value)>,
    dot: Value,
    out: Builder,
}

type Done<T> = Result<T, Diagnostic>;

impl State<'_> {
    fn wrong<T>(&self, at: usize, message: impl Into<String>) -> Done<T> {
        Err(self.unit.says(at, message))
    }

    fn charge(&self, at: usize, steps: usize) -> Done<()> {
        let spent = self.budget.steps.get().saturating_add(steps);
        self.budget.steps.set(spent);
        if spent > MOST_STEPS {
            self.wrong(at, "this file takes too long to expand; is there an endless loop?")
        } else {
            Ok(())
        }
    }

    fn deeper<T>(&mut self, at: usize, inner: impl FnOnce(&mut Self) -> Done<T>) -> Done<T> {
        let depth = self.budget.depth.get();
        if depth >= DEEPEST {
            return self.wrong(at, format!("templates and includes are nested deeper than {DEEPEST} levels"));
        }
        self.budget.depth.set(depth + 1);
        let result = inner(self);
        self.budget.depth.set(depth);
        result
    }

    fn fits(&self, at: usize, text: &Builder) -> Done<()> {
        if text.too_long() {
            self.wrong(at, format!("the text becomes longer than {} MiB", MOST_TEXT >> 20))
        } else {
            Ok(())
        }
    }

    /// A list of its own scope.
    fn list(&mut self, nodes: &[Node]) -> Done<Flow> {
        let scope = self.variables.len();
        let mut flow = Flow::Next;
        for node in nodes {
            flow = self.node(node)?;
            if flow != Flow::Next {
                break;
            }
        }
        self.variables.truncate(scope);
        Ok(flow)
    }

    fn node(&mut self, node: &Node) -> Done<Flow> {
        match node {
            Node::Text(range) => {
                self.charge(range.start, 1 + range.len() / 64)?;
                for run in self.unit.runs(range.clone()) {
                    let origin = Some(self.unit.origin(run.start, true));
                    let text = self.unit.text().get(run).unwrap_or_default().into();
                    self.out.push(Piece::Plain { text, origin });
                }
                self.fits(range.start, &self.out)?;
            }
            Node::Action(at, pipe) => {
                let value = self.pipe(pipe)?;
                if pipe.variables.is_empty() {
                    let shown = match value {
                        Value::Nil => Text::plain("<no value>"),
                        Value::Dot => return self.wrong(pipe.at, "`.` holds no data that could be printed"),
                        value => value.shown(),
                    };
                    self.charge(*at, shown.cost())?;
                    self.out.push_from(&shown, &self.unit.origin(*at, false));
                    self.fits(*at, &self.out)?;
                }
            }
            Node::Choice { with, branches, otherwise } => return self.choice(*with, branches, otherwise),
            Node::Range { pipe, body, otherwise } => return self.range(pipe, body, otherwise),
            Node::Template { at, name, pipe } => self.template(*at, name, pipe.as_ref())?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn choice(&mut self, with: bool, branches: &[(Pipe, Vec<Node>)], otherwise: &[Node]) -> Done<Flow> {
        let scope = self.variables.len();
        let mut flow = None;
        for (pipe, body) in branches {
            let value = self.pipe(pipe)?;
            if value.truth() {
                let dot = if with { value } else { self.dot.clone() };
                flow = Some(self.inside(pipe.at, dot, body)?);
                break;
            }
        }
        let flow = match flow {
            Some(flow) => flow,
            None => self.deeper(branches.first().map_or(0, |(p, _)| p.at), |state| state.list(otherwise))?,
        };
        self.variables.truncate(scope);
        Ok(flow)
    }

    /// A list with another dot.
    fn inside(&mut self, at: usize, dot: Value, nodes: &[Node]) -> Done<Flow> {
        let outer = std::mem::replace(&mut self.dot, dot);
        let flow = self.deeper(at, |state| state.list(nodes))?;
        self.dot = outer;
        Ok(flow)
    }

    fn range(&mut self, pipe: &Pipe, body: &[Node], otherwise: &[Node]) -> Done<Flow> {
        let scope = self.variables.len();
        let count = match self.pipe(pipe)? {
            Value::Int(n) => n,
            other => return self.wrong(pipe.at, format!("`range` counts up to a number; this is {}", other.kind())),
        };
        if pipe.variables.len() > 1 {
            return self.wrong(pipe.at, "`range` over a number has one variable");
        }
        if count <= 0 {
            let flow = self.deeper(pipe.at, |state| state.list(otherwise))?;
            self.variables.truncate(scope);
            return Ok(flow);
        }
        for n in 0..count {
            self.charge(pipe.at, 1)?;
            if let Some(name) = pipe.variables.first() {
                self.assign(pipe.at, name, Value::Int(n))?;
            }
            if self.inside(pipe.at, Value::Int(n), body)? == Flow::Break {
                break;
            }
        }
        self.variables.truncate(scope);
        Ok(Flow::Next)
    }

    fn template(&mut self, at: usize, name: &str, pipe: Option<&Pipe>) -> Done<()> {
        self.charge(at, 1)?;
        let named = self.named;
        let Some(body) = named.get(name) else {
            return self.wrong(at, format!("the template {name:?} is not defined"));
        };
        let dot = pipe.map_or(Ok(Value::Nil), |pipe| self.pipe(pipe))?;
        let outer = std::mem::replace(&mut self.variables, vec![("$".to_owned(), dot.clone())]);
        self.inside(at, dot, body)?;
        self.variables = outer;
        Ok(())
    }

    /// The value of a pipeline, which its variables take as well.
    fn pipe(&mut self, pipe: &Pipe) -> Done<Value> {
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(command, last)?);
        }
        let value = last.unwrap_or(Value::Nil);
        for name in &pipe.variables {
            if pipe.assigns {
                self.assign(pipe.at, name, value.clone())?;
            } else {
                self.variables.push((name.clone(), value.clone()));
            }
        }
        Ok(value)
    }

    fn assign(&mut self, at: usize, name: &str, value: Value) -> Done<()> {
        match self.variables.iter_mut().rev().find(|(n, _)| n == name) {
            Some((_, old)) => {
                *old = value;
                Ok(())
            }
            None => self.wrong(at, format!("the variable `{name}` is not declared here")),
        }
    }

    fn command(&mut self, command: &[Operand], last: Option<Value>) -> Done<Value> {
        let Some((first, arguments)) = command.split_first() else {
            return Ok(Value::Nil);
        };
        self.charge(first.at, 1)?;
        if let (What::Function(name), []) = (&first.what, first.fields.as_slice()) {
            return self.function(first.at, name, arguments, last);
        }
        if !first.fields.is_empty() {
            return self.method(first, arguments, last);
        }
        if !arguments.is_empty() || last.is_some() {
            return self.wrong(first.at, "this is not a function and takes no arguments");
        }
        self.operand(first)
    }

    fn operand(&mut self, operand: &Operand) -> Done<Value> {
        if !operand.fields.is_empty() {
            return self.method(operand, &[], None);
        }
        self.base(operand)
    }

    /// What stands before the first field.
    fn base(&mut self, operand: &Operand) -> Done<Value> {
        self.charge(operand.at, 1)?;
        Ok(match &operand.what {
            What::Function(name) => self.function(operand.at, name, &[], None)?,
            What::Dot => self.dot.clone(),
            What::Nil => Value::Nil,
            What::Bool(b) => Value::Bool(*b),
            What::Int(n) => Value::Int(*n),
            What::Float(f) => Value::Float(*f),
            What::Quoted(text) => {
                self.charge(operand.at, text.len() / 64)?;
                Value::text(text.clone())
            }
            What::Variable(name) => match self.variables.iter().rev().find(|(n, _)| n == name) {
                Some((_, value)) => value.clone(),
                None => return self.wrong(operand.at, format!("the variable `{name}` is not declared here")),
            },
            What::Group(pipe) => self.deeper(operand.at, |state| {
                let scope = state.variables.len();
                let value = state.pipe(pipe);
                state.variables.truncate(scope);
                value
            })?,
        })
    }

    fn arguments(&mut self, operands: &[Operand], last: Option<Value>) -> Done<Vec<Value>> {
        let mut values = Vec::with_capacity(operands.len() + 1);
        for operand in operands {
            values.push(self.operand(operand)?);
        }
        values.extend(last);
        Ok(values)
    }

    fn function(&mut self, at: usize, name: &str, operands: &[Operand], last: Option<Value>) -> Done<Value> {
        let known = functions::BUILT_IN.iter().chain(self.host.functions()).find(|(n, ..)| *n == name);
        let Some((_, fewest, limit)) = known else {
            return self.wrong(at, format!("there is no function `{name}`"));
        };
        let given = operands.len() + usize::from(last.is_some());
        if given < *fewest || given > *limit {
            let wanted = match () {
                () if fewest == limit => fewest.to_string(),
                () if given < *fewest => format!("at least {fewest}"),
                () => format!("at most {limit}"),
            };
            return self.wrong(at, format!("`{name}` takes {wanted} argument(s), and is given {given}"));
        }
        if matches!(name, "and" | "or") {
            return self.decide(name == "or", operands, last);
        }
        let arguments = self.arguments(operands, last)?;
        self.charge(at, arguments.iter().map(Value::cost).sum())?;
        let result = match functions::call(name, &arguments) {
            Some(result) => result,
            None => self.host.call(name, &arguments),
        };
        let value = result.map_err(|message| self.unit.says(at, message))?;
        self.charge(at, value.cost())?;
        Ok(value)
    }

    /// `and` and `or` look at no more arguments than they must, and are one of them.
    fn decide(&mut self, until: bool, operands: &[Operand], last: Option<Value>) -> Done<Value> {
        let mut value = Value::Nil;
        for operand in operands {
            value = self.operand(operand)?;
            if value.truth() == until {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    /// A field: the dot of a file has one, and nothing else has any.
    fn method(&mut self, operand: &Operand, operands: &[Operand], last: Option<Value>) -> Done<Value> {
        let base = self.base(operand)?;
        let name = operand.fields.first().map(String::as_str).unwrap_or_default();
        if !matches!(base, Value::Dot) || name != "Include" {
            return self.wrong(operand.at, format!("{} has no `.{name}`; a file has `.Include`", base.kind()));
        }
        if operand.fields.len() > 1 {
            return self.wrong(operand.at, "what `.Include` gives is text, which has no fields");
        }
        let arguments = self.arguments(operands, last)?;
        let [Value::Text(file)] = arguments.as_slice() else {
            return self.wrong(operand.at, "`.Include` takes the name of one file");
        };
        let file = match file.read() {
            Ok(file) => file.into_owned(),
            Err(secret) => return self.wrong(operand.at, functions::opaque(".Include", secret)),
        };
        self.include(operand.at, &file).map(Value::Text)
    }

    fn include(&mut self, at: usize, file: &str) -> Done<Text> {
        let depth = self.budget.includes.get();
        if depth >= MOST_INCLUDES {
            return self.wrong(at, format!("more than {MOST_INCLUDES} files include each other"));
        }
        let unit = self.host.open(file).map_err(|message| self.unit.says(at, message))?;
        self.charge(at, 1 + unit.text().len() / 64)?;
        self.budget.includes.set(depth + 1);
        let (host, budget) = (self.host, self.budget);
        let text = self.deeper(at, |_| expand_within(&unit, host, budget));
        self.budget.includes.set(depth);
        let text = text?;
        self.charge(at, text.cost())?;
        Ok(text)
    }
}
