//! `conf/variables/common.yaml` and `conf/variables/ENVIRONMENT.yaml` of the robot: what templates get from `secret` and
//! `variable` (spec: configuration §1.5). These files are no templates themselves.

use std::collections::HashMap;

use base64::Engine as _;

use crate::{
    Diagnostic,
    layers::Layers,
    suggest::nearest,
    yaml::{Entry, Node, Place, Value},
};

#[derive(Default)]
pub(crate) struct Variables {
    secrets: HashMap<String, (String, Place)>,
    variables: HashMap<String, String>,
}

impl Variables {
    /// Reads both files; one that does not exist says nothing.
    pub(crate) fn load(layers: &Layers<'_>, environment: &str) -> Result<Self, Vec<Diagnostic>> {
        let loading = |mut error: Diagnostic| {
            error.message = format!("loading custom variables: {}", error.message);
            vec![error]
        };
        if matches!(environment, "" | "." | "..") || environment.contains(['/', '\\', '\0']) {
            let message =
                format!("invalid GOPHER_ENVIRONMENT \"{environment}\": environment must be a single path segment");
            return Err(loading(Diagnostic::of_file("", message)));
        }
        let mut all = Self::default();
        for name in ["common", environment] {
            if let Some(node) = layers.variables(name).map_err(loading)? {
                all.add(&node).map_err(loading)?;
            }
        }
        Ok(all)
    }

    fn add(&mut self, file: &Node) -> Result<(), Diagnostic> {
        for entry in entries(file, "`Secrets` and `Variables`")? {
            let secret = match entry.key.as_str() {
                "Secrets" => true,
                "Variables" => false,
                other => {
                    let known = ["Secrets", "Variables"];
                    let near = nearest(other, known).map(|k| format!("did you mean `{k}`?"));
                    let error = entry.at.says(format!("unknown key `{other}`"));
                    return Err(error.hint(near.unwrap_or_else(|| "there are `Secrets` and `Variables`".to_owned())));
                }
            };
            for inner in entries(&entry.value, "names and values")? {
                self.put(secret, inner)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, secret: bool, entry: &Entry) -> Result<(), Diagnostic> {
        let name = &entry.key;
        if entry.value.is_null() {
            if secret {
                self.secrets.remove(name);
            } else {
                self.variables.remove(name);
            }
            return Ok(());
        }
        let Value::Scalar { text, .. } = &entry.value.value else {
            return Err(entry.value.at.says(format!("expected text, found {}", entry.value.kind())));
        };
        if secret {
            self.secrets.insert(name.clone(), (text.clone(), entry.value.at.clone()));
        } else {
            self.variables.insert(name.clone(), text.clone());
        }
        Ok(())
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Result<String, String> {
        self.variables.get(name).cloned().ok_or_else(|| undefined("variable", name, self.variables.keys()))
    }

    /// Whether there is such a secret, whatever its value.
    pub(crate) fn has_secret(&self, name: &str) -> bool {
        self.secrets.contains_key(name)
    }

    /// The encrypted value of a secret.
    pub(crate) fn secret(&self, name: &str) -> Result<Vec<u8>, String> {
        let (text, at) = self.secrets.get(name).ok_or_else(|| undefined("secret", name, self.secrets.keys()))?;
        let compact: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        base64::engine::general_purpose::STANDARD
            .decode(compact)
            .map_err(|_| format!("the secret \"{name}\" at {at} is not base64, as `encrypt` prints it"))
    }
}

fn undefined<'k>(what: &str, name: &str, known: impl Iterator<Item = &'k String>) -> String {
    let near = nearest(name, known.map(String::as_str)).map(|k| format!("; did you mean \"{k}\"?"));
    format!(
        "template {what} \"{name}\" is not defined in custom conf/variables/common.yaml or custom conf/variables/<env>.yaml{}",
        near.unwrap_or_default()
    )
}

fn entries<'n>(node: &'n Node, wanted: &str) -> Result<&'n [Entry], Diagnostic> {
    match &node.value {
        Value::Map(entries) => Ok(entries),
        _ if node.is_null() => Ok(&[]),
        _ => Err(node.at.says(format!("expected a mapping of {wanted}, found {}", node.kind()))),
    }
}
