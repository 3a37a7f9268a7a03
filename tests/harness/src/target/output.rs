//! The output of a process, searched for secrets.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

use crate::secrets;

/// The output of processes so far.
#[derive(Clone, Debug, Default)]
pub struct Output(Arc<Mutex<Read>>);

#[derive(Debug, Default)]
struct Read {
    text: String,
    leaks: Vec<String>,
}

impl Output {
    /// Reads `stream` to its end, in a task of its own.
    pub fn read(&self, stream: impl AsyncRead + Unpin + Send + 'static) {
        let read = self.clone();
        let mut lines = BufReader::new(stream).lines();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                read.add(&line);
            }
        });
    }

    /// Adds a line.
    pub fn add(&self, line: &str) {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(secret) = secrets::find(line) {
            read.leaks.push(format!("{secret} in: {line}"));
        }
        read.text.push_str(line);
        read.text.push('\n');
    }

    /// The whole output.
    pub fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).text.clone()
    }

    /// The lines that show a secret.
    pub fn leaks(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).leaks.clone()
    }
}
