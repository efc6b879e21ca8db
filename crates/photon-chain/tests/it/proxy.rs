//! A program between us and a chain that answers as it likes.

use alloy::transports::http::reqwest;
use photon_chain::Endpoint;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What it does with a question.
#[derive(Clone, Debug)]
pub(crate) enum Does {
    /// Passes it on.
    Honest,
    /// Passes this on in its place.
    Passes(Value),
    /// Answers this itself: `{"result": ..}` or `{"error": ..}`.
    Says(Value),
    /// Answers with this HTTP status.
    Status(u16),
    /// Ends the connection.
    HangsUp,
}

type Habit = dyn FnMut(&Value) -> Does + Send;

/// Gone when it is dropped.
pub(crate) struct Proxy {
    url: String,
    habit: Arc<Mutex<Box<Habit>>>,
    questions: Arc<Mutex<Vec<Value>>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// An honest one before this chain.
    pub(crate) async fn before(chain: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let habit: Arc<Mutex<Box<Habit>>> = Arc::new(Mutex::new(Box::new(|_| Does::Honest)));
        let questions = Arc::default();
        let (habits, asked) = (Arc::clone(&habit), Arc::clone(&questions));
        let task = tokio::spawn(async move {
            let mut streams = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (chain, habit, asked) =
                    (chain.clone(), Arc::clone(&habits), Arc::clone(&asked));
                streams.spawn(serve(stream, chain, habit, asked));
            }
        });
        Self { url, habit, questions, task }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::new(&self.url).unwrap()
    }

    /// What it does from now on.
    pub(crate) fn becomes(&self, habit: impl FnMut(&Value) -> Does + Send + 'static) {
        *self.habit.lock().unwrap() = Box::new(habit);
    }

    /// What it was asked by this method, since the last time; without its parameters' names.
    pub(crate) fn asked(&self, method: &str) -> Vec<Value> {
        let mut questions = self.questions.lock().unwrap();
        let (asked, rest) =
            questions.drain(..).partition(|question: &Value| question["method"] == method);
        *questions = rest;
        asked.into_iter().map(|question| question["params"].clone()).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    chain: String,
    habit: Arc<Mutex<Box<Habit>>>,
    asked: Arc<Mutex<Vec<Value>>>,
) {
    let Some(question) = body(&mut stream).await else { return };
    asked.lock().unwrap().push(question.clone());
    let does = habit.lock().unwrap()(&question);
    let (status, answer) = match does.clone() {
        Does::HangsUp => return,
        Does::Status(status) => (status, String::new()),
        Does::Says(mut answer) => {
            answer["jsonrpc"] = json!("2.0");
            answer["id"] = question["id"].clone();
            (200, answer.to_string())
        }
        Does::Honest | Does::Passes(_) => {
            let question = if let Does::Passes(other) = does { other } else { question };
            let request = reqwest::Client::new().post(&chain);
            let request = request.header("content-type", "application/json");
            let Ok(answer) = request.body(question.to_string()).send().await else { return };
            (200, answer.text().await.unwrap())
        }
    };
    let head = format!("HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: ");
    let answer = format!("{head}{}\r\n\r\n{answer}", answer.len());
    let _ = stream.write_all(answer.as_bytes()).await;
}

async fn body(stream: &mut TcpStream) -> Option<Value> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8(bytes.clone()).unwrap();
        if let Some((_, body)) = text.split_once("\r\n\r\n")
            && let Ok(question) = serde_json::from_str(body)
        {
            return Some(question);
        }
    }
}
