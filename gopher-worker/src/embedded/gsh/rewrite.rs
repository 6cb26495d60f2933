//! What is changed in a parsed script before it runs.
//!
//! The shell runs the stages of a pipeline side by side only if they are commands; a loop, a group or a function it
//! runs to its end before the next stage begins, which never comes to pass once the pipe between them is full. So each
//! of these becomes a command: `RUN` with the number of the kept piece, or `CALL` with the function's words. Command
//! substitutions are parsed here once, with the lines that they stand on, for the same reason. Robot commands in unusual
//! spelling get their proper name. What all of it needs is found on the way.

use brush_core::parser::ast::{
    AndOr, AndOrList, Assignment, AssignmentValue, Command, CommandPrefixOrSuffixItem, CommandSuffix, CompoundCommand,
    CompoundList, CompoundListItem, FunctionBody, FunctionDefinition, IoFileRedirectTarget, IoRedirect, Pipeline,
    Program, SeparatorOperator, SimpleCommand, Word,
};
use brush_parser::{
    ParserOptions,
    word::{WordPiece, WordPieceWithSource},
};

use super::{
    commands,
    context::Context,
    needs::{self, Needs},
};

/// Runs a kept piece; nobody's function or program has such a name.
pub(super) const RUN: &str = "gsh:run";
/// Runs a command, functions included.
pub(super) const CALL: &str = "gsh:call";

/// How deep scripts may be nested in each other's text.
const DEEPEST: usize = 64;

pub(super) struct Rewriter<'a> {
    context: &'a Context,
    options: &'a ParserOptions,
    /// Whether the shell has a command of this name, so that it needs no other.
    known: &'a dyn Fn(&str) -> bool,
    depth: usize,
    changed: bool,
    needs: Needs,
    /// Command substitutions that were parsed.
    parsed: usize,
}

impl<'a> Rewriter<'a> {
    pub(super) fn new(context: &'a Context, options: &'a ParserOptions, known: &'a dyn Fn(&str) -> bool) -> Self {
        Self { context, options, known, depth: 0, changed: false, needs: Needs::Nothing, parsed: 0 }
    }

    /// Changes a program; whether anything was.
    pub(super) fn program(&mut self, program: &mut Program) -> bool {
        for list in &program.complete_commands {
            self.name_functions(list);
        }
        for list in &mut program.complete_commands {
            self.list(list);
        }
        self.changed
    }

    /// What the script of this text needs, which was changed here.
    pub(super) fn needs(&self, text: &str) -> Needs {
        self.needs.max(needs::of_text(text, self.parsed))
    }

    fn need(&mut self, more: Needs) {
        self.needs = self.needs.max(more);
    }

    /// Changes a function that is defined already; whether anything was.
    pub(super) fn function(&mut self, function: &mut FunctionDefinition) -> bool {
        self.context.name_function(&function.fname.value);
        self.name_inner(&function.body.0);
        self.compound(&mut function.body.0);
        self.changed
    }

    /// Functions may be called before the place of their definition.
    fn name_functions(&self, list: &CompoundList) {
        for CompoundListItem(and_or, _) in &list.0 {
            for (_, pipeline) in and_or {
                for command in &pipeline.seq {
                    match command {
                        Command::Function(function) => {
                            self.context.name_function(&function.fname.value);
                            self.name_inner(&function.body.0);
                        }
                        Command::Compound(compound, _) => self.name_inner(compound),
                        Command::Simple(_) | Command::ExtendedTest(..) => {}
                    }
                }
            }
        }
    }

    fn name_inner(&self, compound: &CompoundCommand) {
        for list in lists(compound) {
            self.name_functions(list);
        }
    }

    fn list(&mut self, list: &mut CompoundList) {
        for CompoundListItem(AndOrList { first, additional }, separator) in &mut list.0 {
            if let SeparatorOperator::Async = separator {
                self.need(Needs::Process);
            }
            self.pipeline(first);
            for next in additional {
                match next {
                    AndOr::And(pipeline) | AndOr::Or(pipeline) => self.pipeline(pipeline),
                }
            }
        }
    }

    fn pipeline(&mut self, pipeline: &mut Pipeline) {
        for command in &mut pipeline.seq {
            self.command(command);
        }
        // The last stage is the one that is waited for.
        let stages = pipeline.seq.len().saturating_sub(1);
        if stages > 0 {
            self.need(Needs::Threads);
        }
        for stage in &mut pipeline.seq[..stages] {
            self.stage(stage);
        }
    }

    /// Makes a stage a command.
    fn stage(&mut self, stage: &mut Command) {
        match stage {
            Command::Simple(simple) => {
                let Some(name) = simple.word_or_name.clone() else { return };
                if !name.value.contains(['$', '`']) && !self.context.is_function(&name.value) {
                    return;
                }
                let items = simple.suffix.get_or_insert_with(|| CommandSuffix(Vec::new()));
                simple.word_or_name = Some(Word { value: CALL.to_owned(), loc: name.loc.clone() });
                items.0.insert(0, CommandPrefixOrSuffixItem::Word(name));
            }
            Command::Function(_) => return,
            Command::Compound(..) | Command::ExtendedTest(..) => {
                use brush_core::parser::ast::SourceLocation as _;
                let loc = stage.location();
                let list = CompoundList(vec![CompoundListItem(
                    AndOrList {
                        first: Pipeline { timed: None, bang: false, seq: vec![stage.clone()] },
                        additional: Vec::new(),
                    },
                    SeparatorOperator::Sequence,
                )]);
                let number = self.context.keep(Program { complete_commands: vec![list] });
                let word = |value: String| Word { value, loc: loc.clone() };
                *stage = Command::Simple(SimpleCommand {
                    prefix: None,
                    word_or_name: Some(word(RUN.to_owned())),
                    suffix: Some(CommandSuffix(vec![CommandPrefixOrSuffixItem::Word(word(number.to_string()))])),
                });
            }
        }
        self.changed = true;
    }

    fn command(&mut self, command: &mut Command) {
        match command {
            Command::Simple(simple) => self.simple(simple),
            Command::Compound(compound, redirects) => {
                self.compound(compound);
                self.redirects(redirects.as_mut().map(|list| &mut list.0));
            }
            Command::Function(function) => {
                let FunctionBody(body, redirects) = &mut function.body;
                self.compound(body);
                self.redirects(redirects.as_mut().map(|list| &mut list.0));
            }
            Command::ExtendedTest(_, redirects) => self.redirects(redirects.as_mut().map(|list| &mut list.0)),
        }
    }

    fn simple(&mut self, simple: &mut SimpleCommand) {
        if let Some(name) = &mut simple.word_or_name {
            if !(self.known)(&name.value)
                && !self.context.is_function(&name.value)
                && let Some(command) = commands::find(&name.value)
            {
                command.name.clone_into(&mut name.value);
                self.changed = true;
            }
            self.word(name);
        }
        if let Some(name) = &simple.word_or_name
            && !self.context.is_function(&name.value)
        {
            self.need(needs::of_command(simple, &name.value));
        }
        let prefix = simple.prefix.iter_mut().flat_map(|prefix| &mut prefix.0);
        let suffix = simple.suffix.iter_mut().flat_map(|suffix| &mut suffix.0);
        for item in prefix.chain(suffix) {
            match item {
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => self.redirect(redirect),
                CommandPrefixOrSuffixItem::Word(word) => self.word(word),
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, word) => {
                    self.assignment(assignment);
                    // The same text again.
                    let parsed = self.parsed;
                    self.word(word);
                    self.parsed = parsed;
                }
                CommandPrefixOrSuffixItem::ProcessSubstitution(_, subshell) => {
                    self.need(Needs::Threads);
                    self.list(&mut subshell.list);
                }
            }
        }
    }

    fn assignment(&mut self, assignment: &mut Assignment) {
        match &mut assignment.value {
            AssignmentValue::Scalar(word) => self.word_at(word, assignment.loc.start.line),
            AssignmentValue::Array(words) => {
                for (_, word) in words {
                    self.word_at(word, assignment.loc.start.line);
                }
            }
        }
    }

    fn redirects(&mut self, redirects: Option<&mut Vec<IoRedirect>>) {
        for redirect in redirects.into_iter().flatten() {
            self.redirect(redirect);
        }
    }

    fn redirect(&mut self, redirect: &mut IoRedirect) {
        match redirect {
            IoRedirect::File(_, _, IoFileRedirectTarget::ProcessSubstitution(_, subshell)) => {
                self.need(Needs::Threads);
                self.list(&mut subshell.list);
            }
            IoRedirect::File(_, _, IoFileRedirectTarget::Filename(word))
            | IoRedirect::HereString(_, word)
            | IoRedirect::OutputAndError(word, _) => self.word(word),
            IoRedirect::File(..) | IoRedirect::HereDocument(..) => {}
        }
    }

    fn compound(&mut self, compound: &mut CompoundCommand) {
        match compound {
            CompoundCommand::ForClause(clause) => {
                for word in clause.values.iter_mut().flatten() {
                    self.word(word);
                }
            }
            CompoundCommand::CaseClause(clause) => self.word(&mut clause.value),
            CompoundCommand::Coprocess(coprocess) => {
                self.need(Needs::Process);
                self.command(&mut coprocess.body);
            }
            _ => {}
        }
        for list in lists_mut(compound) {
            self.list(list);
        }
    }

    /// Parses the command substitutions of a word where they stand.
    fn word(&mut self, word: &mut Word) {
        self.word_at(word, 1);
    }

    /// The same for a word that may not know its line.
    fn word_at(&mut self, word: &mut Word, line: usize) {
        if self.depth >= DEEPEST || !word.value.contains("$(") {
            return;
        }
        let Ok(pieces) = brush_parser::word::parse(&word.value, self.options) else { return };
        let mut found = Vec::new();
        substitutions(&pieces, &mut found);
        let first = word.loc.as_ref().map_or(line, |loc| loc.start.line);
        // From the end, so that the places of the others stay right.
        for (start, end, source) in found.into_iter().rev() {
            // A quoted dollar is none; the text must be what it is said to be.
            if word.value.get(start..end).and_then(|text| text.strip_prefix("$(")?.strip_suffix(')')) != Some(&source) {
                continue;
            }
            let line = first + word.value[..start].matches('\n').count();
            if let Some(number) = self.substitution(&source, line) {
                word.value.replace_range(start..end, &format!("$({RUN} {number})"));
                self.changed = true;
            }
        }
    }

    /// Keeps the program of a command substitution; none if it is better parsed when it runs.
    fn substitution(&mut self, source: &str, line: usize) -> Option<usize> {
        // `$(< file)` is no program.
        if source.trim_start().starts_with('<') {
            return None;
        }
        let text = format!("{}{source}", "\n".repeat(line.saturating_sub(1)));
        let mut program = brush_parser::Parser::new(text.as_bytes(), self.options).parse_program().ok()?;
        let mut inner = Rewriter { depth: self.depth + 1, ..*self };
        inner.program(&mut program);
        (self.needs, self.parsed) = (inner.needs.max(Needs::Threads), inner.parsed + 1);
        Some(self.context.keep(program))
    }
}

fn substitutions(pieces: &[WordPieceWithSource], found: &mut Vec<(usize, usize, String)>) {
    for piece in pieces {
        match &piece.piece {
            WordPiece::CommandSubstitution(source) => found.push((piece.start_index, piece.end_index, source.clone())),
            WordPiece::DoubleQuotedSequence(inner) => substitutions(inner, found),
            _ => {}
        }
    }
}

fn lists(compound: &CompoundCommand) -> Vec<&CompoundList> {
    match compound {
        CompoundCommand::BraceGroup(group) => vec![&group.list],
        CompoundCommand::Subshell(subshell) => vec![&subshell.list],
        CompoundCommand::ForClause(clause) => vec![&clause.body.list],
        CompoundCommand::ArithmeticForClause(clause) => vec![&clause.body.list],
        CompoundCommand::CaseClause(clause) => clause.cases.iter().filter_map(|case| case.cmd.as_ref()).collect(),
        CompoundCommand::IfClause(clause) => {
            let elses = clause.elses.iter().flatten();
            let elses = elses.flat_map(|other| other.condition.iter().chain([&other.body]));
            [&clause.condition, &clause.then].into_iter().chain(elses).collect()
        }
        CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => vec![&clause.0, &clause.1.list],
        CompoundCommand::Arithmetic(_) | CompoundCommand::Coprocess(_) => Vec::new(),
    }
}

fn lists_mut(compound: &mut CompoundCommand) -> Vec<&mut CompoundList> {
    match compound {
        CompoundCommand::BraceGroup(group) => vec![&mut group.list],
        CompoundCommand::Subshell(subshell) => vec![&mut subshell.list],
        CompoundCommand::ForClause(clause) => vec![&mut clause.body.list],
        CompoundCommand::ArithmeticForClause(clause) => vec![&mut clause.body.list],
        CompoundCommand::CaseClause(clause) => clause.cases.iter_mut().filter_map(|case| case.cmd.as_mut()).collect(),
        CompoundCommand::IfClause(clause) => {
            let elses = clause.elses.iter_mut().flatten();
            let elses = elses.flat_map(|other| other.condition.iter_mut().chain([&mut other.body]));
            [&mut clause.condition, &mut clause.then].into_iter().chain(elses).collect()
        }
        CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
            vec![&mut clause.0, &mut clause.1.list]
        }
        CompoundCommand::Arithmetic(_) | CompoundCommand::Coprocess(_) => Vec::new(),
    }
}
