//! What the shell's own commands know of their run. They are plain functions and may be called on any thread of the
//! shell, so each of its threads is told when it starts.

use std::{
    cell::RefCell,
    collections::HashSet,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use brush_core::parser::ast::Program;

use crate::embedded::robot::Robot;

/// One run.
pub(super) struct Context {
    pub(super) path: String,
    robot: OnceLock<Robot>,
    /// Pieces of scripts that run as a command of their own, by their number.
    programs: Mutex<Vec<Arc<Program>>>,
    functions: Mutex<HashSet<String>>,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Context>>> = const { RefCell::new(None) };
}

impl Context {
    /// Of a script that has no robot yet.
    pub(super) fn new(path: &str) -> Arc<Self> {
        Arc::new(Self {
            path: path.to_owned(),
            robot: OnceLock::new(),
            programs: Mutex::default(),
            functions: Mutex::default(),
        })
    }

    /// Gives the run its robot, once.
    pub(super) fn give(&self, robot: Robot) {
        let _ = self.robot.set(robot);
    }

    /// None while the script is asked for its default configuration.
    pub(super) fn robot(&self) -> Option<&Robot> {
        self.robot.get()
    }

    /// Makes it this thread's.
    pub(super) fn enter(self: &Arc<Self>) {
        CURRENT.set(Some(Arc::clone(self)));
    }

    /// This thread's, if it is one of a shell's.
    pub(super) fn current() -> Option<Arc<Self>> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Keeps a program; its number.
    pub(super) fn keep(&self, program: Program) -> usize {
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        programs.push(Arc::new(program));
        programs.len() - 1
    }

    pub(super) fn kept(&self, number: usize) -> Option<Arc<Program>> {
        self.programs.lock().unwrap_or_else(PoisonError::into_inner).get(number).map(Arc::clone)
    }

    pub(super) fn name_function(&self, name: &str) {
        self.functions.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
    }

    /// Whether some script of the run defines a function of this name.
    pub(super) fn is_function(&self, name: &str) -> bool {
        self.functions.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}
