//! Connectors: one process per chat service, each restarted alone.

use super::*;

impl Supervisor {
    pub(super) fn start_connector(&mut self, name: &str) -> Result<(), SupervisorError> {
        // The lowest number that no other connector has: uids go by it.
        let index = (0..u32::MAX).find(|n| self.connectors.values().all(|c| c.index != *n)).unwrap_or_default();
        let connector = self.connectors.entry(name.to_owned()).or_insert_with(|| Connector {
            index,
            role: None,
            backoff: Backoff::default(),
        });
        if connector.role.is_some() {
            return Ok(());
        }
        let account = self.accounts.connector(connector.index);
        let title = format!("gopher-connector {name}");
        let mut role = Role::start(&self.programs, &self.programs.connector, &title, account, Vec::new())?;
        role.tell(&SupervisorToConnector::Begin { name: name.to_owned() }, Vec::new());
        let (engine_end, connector_end) = links::engine_and_connector()?;
        role.tell(&SupervisorToConnector::Engine, vec![connector_end]);
        let (secretd_end, connector_end) = links::secretd_and_connector()?;
        role.tell(&SupervisorToConnector::Secretd, vec![connector_end]);
        if let (Some(socket), "test") = (&self.test_socket, name) {
            let socket = socket.try_clone().map_err(SupervisorError::file("duplicate", "test socket".as_ref()))?;
            role.tell(&SupervisorToConnector::TestSocket, vec![socket]);
        }
        let link = role.link.as_fd().try_clone_to_owned();
        let link = link.map_err(SupervisorError::file("duplicate", "link".as_ref()))?;
        self.watch(link, Source::Connector(name.to_owned()))?;
        self.watch(&role.child.pidfd, Source::ConnectorEnd(name.to_owned()))?;
        if let Some(connector) = self.connectors.get_mut(name) {
            connector.backoff.started(Instant::now());
            connector.role = Some(role);
        }
        if let Some(secretd) = &mut self.secretd {
            secretd.tell(&SupervisorToSecretd::ConnectorOpened { name: name.to_owned() }, vec![secretd_end]);
        }
        self.tell_engine(&SupervisorToEngine::Connector { name: name.to_owned() }, vec![engine_end]);
        self.status_changed = true;
        Ok(())
    }

    pub(super) fn stop_connector(&mut self, name: &str) {
        if let Some(connector) = self.connectors.remove(name)
            && let Some(role) = connector.role
        {
            self.forget(&Source::Connector(name.to_owned()));
            self.forget(&Source::ConnectorEnd(name.to_owned()));
            role.kill();
            // Reaped at once: KILL cannot be refused.
            let _ = process::wait(&role.child.pidfd);
        }
        self.status_changed = true;
    }

    pub(super) fn connector_ready(&mut self, name: &str) {
        let Some(role) = self.connectors.get_mut(name).and_then(|c| c.role.as_mut()) else { return };
        loop {
            match role.link.receive() {
                Ok(Some((ConnectorToSupervisor::Ready | ConnectorToSupervisor::Pong { .. }, _))) => {
                    role.last_pong = Instant::now();
                }
                Ok(None) => return,
                Err(error) => {
                    if !matches!(error, LinkError::Closed) {
                        eprintln!("gopherd: connector {name}: {error}");
                    }
                    role.kill();
                    self.forget(&Source::Connector(name.to_owned()));
                    return;
                }
            }
        }
    }

    pub(super) fn connector_ended(&mut self, name: &str) {
        self.forget(&Source::Connector(name.to_owned()));
        self.forget(&Source::ConnectorEnd(name.to_owned()));
        let Some(connector) = self.connectors.get_mut(name) else { return };
        let Some(role) = connector.role.take() else { return };
        let exit = describe(process::wait(&role.child.pidfd));
        connector.backoff.ended(Instant::now(), exit.clone());
        self.status_changed = true;
        self.tell_engine(&SupervisorToEngine::ConnectorGone { name: name.to_owned(), reason: exit }, Vec::new());
    }
}
