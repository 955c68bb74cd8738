//! Asking a person: on a terminal, or line by line through a pipe. Everything said here is talk, on standard
//! error.

use std::io::IsTerminal;

use tieout_domain::ConnectionName;
use tieout_domain::code::Code;

use crate::failure::{Exit, Failure};

/// Says something.
pub(super) fn say(text: &str) {
    eprintln!("{text}");
}

/// Asks. The answer comes without blanks around it; empty where the person just went on.
pub(super) fn ask(name: &ConnectionName, question: &str) -> Result<String, Failure> {
    eprint!("{question}\n> ");
    line()?.ok_or_else(|| stopped(name))
}

/// Asks for what must not be seen.
pub(super) fn ask_secret(name: &ConnectionName, question: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return ask(name, question);
    }
    rpassword::prompt_password(format!("{question}\n> ")).map_err(|error| unread(&error))
}

/// Asks for a yes or a no. At the end of the input it is the answer that does nothing.
pub(in crate::commands::connect) fn yes(question: &str, otherwise: bool) -> Result<bool, Failure> {
    let usual = if otherwise { "yes" } else { "no" };
    loop {
        eprint!("{question} (yes or no) [{usual}]\n> ");
        match line()?.as_deref() {
            None => return Ok(false),
            Some("") => return Ok(otherwise),
            Some("y" | "yes") => return Ok(true),
            Some("n" | "no") => return Ok(false),
            Some(_) => {}
        }
    }
}

fn line() -> Result<Option<String>, Failure> {
    let mut answer = String::new();
    let read = std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| unread(&error))?;
    Ok((read > 0).then(|| answer.trim().to_owned()))
}

fn unread(error: &std::io::Error) -> Failure {
    Failure::failed(
        Code::new("file"),
        format!("can't read from the terminal: {error}"),
    )
}

/// The person went away before the end.
pub(super) fn stopped(name: &ConnectionName) -> Failure {
    Failure {
        code: Code::new("connect-stopped"),
        cause: format!("`{name}` was not stored; what was given so far is kept"),
        exit: Exit::Usage,
    }
}
