//! What a person or a script enters on the way: yes or no, and the fields of the new credential.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use tieout_domain::code::Code;
use tieout_kit::guide::Step;
use tieout_kit::system::CredentialKind;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::pending::Fields;

/// Where what is entered comes from.
pub(super) struct Entered {
    file: Option<PathBuf>,
    /// What was read is read once: a pipe ends.
    read: bool,
    /// What a page was sent; then nobody is asked, and nothing is read.
    sent: Option<Fields>,
}

impl Entered {
    pub(super) fn new(file: Option<PathBuf>) -> Self {
        Self {
            file,
            read: false,
            sent: None,
        }
    }

    /// What a page was sent.
    pub(super) fn sent(fields: Fields) -> Self {
        Self {
            file: None,
            read: true,
            sent: Some(fields),
        }
    }

    /// Whether somebody can be asked.
    pub(super) fn terminal(&self) -> bool {
        self.sent.is_none() && std::io::stdin().is_terminal()
    }

    /// Asks for a yes.
    pub(super) fn asks(&self, question: &str) -> Result<bool, Failure> {
        eprint!("{question}");
        let mut answer = String::new();
        std::io::stdin()
            .read_line(&mut answer)
            .map_err(|error| unread(&error))?;
        Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
    }

    /// The fields that were entered; none where nobody enters anything.
    pub(super) fn fields(&mut self, kind: &CredentialKind, step: &Step) -> Result<Fields, Failure> {
        if let Some(sent) = &mut self.sent {
            return Ok(std::mem::take(sent));
        }
        if let Some(path) = &self.file {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Failure::file("can't read", path, &error))?;
            return Fields::read(&Zeroizing::new(text));
        }
        if self.terminal() {
            return prompt(kind, step);
        }
        if std::mem::replace(&mut self.read, true) {
            return Ok(Fields::default());
        }
        let mut text = Zeroizing::new(String::new());
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| unread(&error))?;
        if text.trim().is_empty() {
            return Ok(Fields::default());
        }
        Fields::read(&text)
    }
}

/// Asks for the fields that a step yields; nothing typed leaves a field out.
fn prompt(kind: &CredentialKind, step: &Step) -> Result<Fields, Failure> {
    let mut fields = Fields::default();
    for field in kind
        .fields
        .iter()
        .filter(|field| step.yields.contains(&field.name))
    {
        let text = rpassword::prompt_password(format!("{}: ", field.label))
            .map_err(|error| unread(&error))?;
        if !text.trim().is_empty() {
            fields.set(field.name, text.trim().to_owned().into());
        }
    }
    Ok(fields)
}

fn unread(error: &std::io::Error) -> Failure {
    Failure::failed(
        Code::new("file"),
        format!("can't read standard input: {error}"),
    )
}
