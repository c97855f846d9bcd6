//! A built function under a Lambda runtime API of our own, which hands out one event at a time: what is measured is the
//! function, without the waits of an emulated Lambda.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, atomic::AtomicU64, atomic::Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail, ensure};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use serde_json::{Value, json};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc, watch},
    task::JoinHandle,
    time::timeout,
};

use crate::account::HMAC_SECRET;

/// Longer than any start or request takes, on a machine that is building something too.
const DEADLINE: Duration = Duration::from_secs(60);
/// The kernel counts CPU time in these for every process, whatever its own tick is.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running function.
#[derive(Debug)]
pub struct Function {
    process: Child,
    /// From the start of its process to its first request for an event.
    pub ready_after: Duration,
    events: mpsc::Sender<String>,
    answers: Mutex<mpsc::Receiver<Result<Value, String>>>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Api {
    asked: Arc<watch::Sender<bool>>,
    events: Arc<Mutex<mpsc::Receiver<String>>>,
    answers: mpsc::Sender<Result<Value, String>>,
    requests: Arc<AtomicU64>,
}

/// Where cargo has put a function: beside the bench, in the folder of the same profile.
///
/// # Errors
/// When it was not built.
pub fn built(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let profile = own.parent().and_then(Path::parent).context("the bench is not in a target folder")?;
    let path = profile.join(name);
    ensure!(path.exists(), "{} is missing; benches/README.md tells how it is built", path.display());
    Ok(path)
}

impl Function {
    /// Starts a function and waits until it asks for its first event.
    ///
    /// # Errors
    /// When it does not get there.
    pub async fn start(binary: &Path, environment: &[(&'static str, String)]) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (asked, mut has_asked) = watch::channel(false);
        let (events, to_function) = mpsc::channel(1);
        let (from_function, answers) = mpsc::channel(1);
        let api = Api {
            asked: Arc::new(asked),
            events: Arc::new(Mutex::new(to_function)),
            answers: from_function,
            requests: Arc::default(),
        };
        let server = tokio::spawn(async move {
            let _ended = axum::serve(listener, router(api)).await;
        });
        let mut command = Command::new(binary);
        command.env_clear().envs(environment.iter().map(|(name, value)| (*name, value)));
        command.env("AWS_LAMBDA_RUNTIME_API", &address).env("AWS_LAMBDA_FUNCTION_NAME", "bench");
        command.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512").env("AWS_LAMBDA_FUNCTION_VERSION", "1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
        let began = Instant::now();
        let process = command.spawn().with_context(|| format!("{} cannot be started", binary.display()))?;
        timeout(DEADLINE, has_asked.changed()).await.context("the function does not become ready")??;
        Ok(Self { process, ready_after: began.elapsed(), events, answers: Mutex::new(answers), server })
    }

    /// Sends a write as a caller does, signed, and says how long the function took. Any answer but 200 is an error.
    ///
    /// # Errors
    /// When the function fails, or does not write.
    pub async fn write(&self, body: &Value) -> anyhow::Result<(Value, Duration)> {
        let event = event(body)?;
        let began = Instant::now();
        self.events.send(event).await?;
        let answer = timeout(DEADLINE, async { self.answers.lock().await.recv().await }).await?;
        let took = began.elapsed();
        let answer = answer.context("the function is gone")?.map_err(anyhow::Error::msg)?;
        ensure!(answer["statusCode"] == 200 || answer["statusCode"] == 202, "answered {answer}");
        let told = answer["body"].as_str().unwrap_or_default();
        Ok((serde_json::from_str(told)?, took))
    }

    /// CPU time it has used so far, in the kernel and outside of it.
    ///
    /// # Errors
    /// When it is not running.
    pub fn cpu_time(&self) -> anyhow::Result<Duration> {
        let stat = self.proc("stat")?;
        let (_, fields) = stat.rsplit_once(')').context("/proc/pid/stat")?;
        let fields: Vec<_> = fields.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u32>().ok()).context("/proc/pid/stat");
        Ok(Duration::from_secs_f64(f64::from(ticks(11)? + ticks(12)?) / TICKS_PER_SECOND))
    }

    /// The most memory it ever had, in KiB.
    ///
    /// # Errors
    /// When it is not running.
    pub fn peak_kib(&self) -> anyhow::Result<u64> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("/proc/pid/status")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    fn proc(&self, file: &str) -> anyhow::Result<String> {
        let Some(pid) = self.process.id() else { bail!("the function has ended") };
        Ok(std::fs::read_to_string(format!("/proc/{pid}/{file}"))?)
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What a function URL makes of a signed request.
fn event(body: &Value) -> anyhow::Result<String> {
    let (id, body) = (body["id"].as_str().unwrap_or_default(), body.to_string());
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let signature = Webhook::new(HMAC_SECRET)?.sign(id, seconds.cast_signed(), body.as_bytes())?;
    let host = "abcdefghij.lambda-url.us-east-1.on.aws";
    Ok(json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/writes", "rawQueryString": "",
        "headers": {
            "host": host, "content-type": "application/json", "user-agent": "finance/1.0",
            HEADER_WEBHOOK_ID: id, HEADER_WEBHOOK_TIMESTAMP: seconds.to_string(), HEADER_WEBHOOK_SIGNATURE: signature,
        },
        "requestContext": {
            "accountId": "anonymous", "apiId": "abcdefghij", "domainName": host, "domainPrefix": "abcdefghij",
            "http": {"method": "POST", "path": "/writes", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7",
                     "userAgent": "finance/1.0"},
            "requestId": "3f1d3a0e-2f3c-4c3e-9c1a-6d2b8f0a7e11", "routeKey": "$default", "stage": "$default",
            "time": "23/Nov/2026:10:00:00 +0000", "timeEpoch": seconds * 1_000,
        },
        "isBase64Encoded": false, "body": body,
    })
    .to_string())
}

fn router(api: Api) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
        .route("/2018-06-01/runtime/init/error", post(failed))
        .with_state(api)
}

async fn next(State(api): State<Api>) -> Result<(HeaderMap, String), StatusCode> {
    api.asked.send_replace(true);
    let event = api.events.lock().await.recv().await.ok_or(StatusCode::GONE)?;
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + DEADLINE;
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", format!("request-{}", api.requests.fetch_add(1, Ordering::Relaxed))),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:bench".to_owned()),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700".to_owned()),
    ] {
        headers.insert(name, value.parse().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?);
    }
    Ok((headers, event))
}

async fn answered(State(api): State<Api>, body: String) -> StatusCode {
    let answer = serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"));
    let _nobody_waits = api.answers.send(answer).await;
    StatusCode::ACCEPTED
}

async fn failed(State(api): State<Api>, body: String) -> StatusCode {
    let _nobody_waits = api.answers.send(Err(body)).await;
    StatusCode::ACCEPTED
}
