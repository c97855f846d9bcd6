//! One thread, one simulated clock, and chance deciding which of the ready tasks goes next.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use domain::Timestamp;

use crate::{bug::Bug, rng::Rng, trace::Trace};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Time, chance and tasks of a simulated world.
pub struct Executor {
    now_ms: AtomicU64,
    rng: Mutex<Rng>,
    timers: Mutex<Vec<(u64, Waker)>>,
    fresh: Mutex<Vec<Task>>,
    steps: AtomicU64,
    bug: Mutex<Option<Bug>>,
    pub(crate) trace: Trace,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Executor {
    /// A world that begins at `now`.
    #[must_use]
    pub fn new(seed: u64, now: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            now_ms: AtomicU64::new(now.0),
            rng: Mutex::new(Rng::new(seed)),
            timers: Mutex::default(),
            fresh: Mutex::default(),
            steps: AtomicU64::new(0),
            bug: Mutex::default(),
            trace: Trace::default(),
        })
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp(self.now_ms.load(Ordering::SeqCst))
    }

    /// Puts a bug into the world.
    pub fn put_in(&self, bug: Option<Bug>) {
        *lock(&self.bug) = bug;
    }

    pub(crate) fn bug(&self) -> Option<Bug> {
        *lock(&self.bug)
    }

    /// Whether this bug is in the world.
    pub(crate) fn has(&self, bug: Bug) -> bool {
        self.bug() == Some(bug)
    }

    /// Steps taken: the same seed takes the same steps.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::SeqCst)
    }

    /// Of all calls of ports so far, in their order: the same seed gives the same.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.trace.fingerprint()
    }

    /// Asks chance.
    pub fn chance<T>(&self, ask: impl FnOnce(&mut Rng) -> T) -> T {
        ask(&mut lock(&self.rng))
    }

    /// Begins a task.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        lock(&self.fresh).push(Box::pin(task));
    }

    /// Lets others go first, before or after the effect of a port's method, named as `Trait.method`.
    pub fn turn_at(&self, method: &'static str) -> impl Future<Output = ()> + Send + use<> {
        self.trace.note(method, self.now());
        let mut waited = false;
        std::future::poll_fn(move |cx: &mut Context<'_>| {
            if waited {
                return Poll::Ready(());
            }
            waited = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    /// Lets time pass.
    pub fn sleep(self: &Arc<Self>, ms: u64) -> impl Future<Output = ()> + Send + use<> {
        let (world, until) = (Arc::clone(self), self.now().0 + ms);
        std::future::poll_fn(move |cx: &mut Context<'_>| {
            if world.now().0 >= until {
                return Poll::Ready(());
            }
            lock(&world.timers).push((until, cx.waker().clone()));
            Poll::Pending
        })
    }

    /// Runs until every task is over, or `max_steps` were taken. Whether all are over.
    pub fn run(&self, max_steps: u64) -> bool {
        let mut tasks: Vec<(Task, Arc<Flag>)> = Vec::new();
        for _ in 0..max_steps {
            let fresh = std::mem::take(&mut *lock(&self.fresh));
            tasks.extend(fresh.into_iter().map(|task| (task, Arc::new(Flag(AtomicBool::new(true))))));
            let ready: Vec<_> = (0..tasks.len()).filter(|at| tasks[*at].1.0.load(Ordering::SeqCst)).collect();
            if ready.is_empty() {
                if !self.advance() {
                    return tasks.is_empty();
                }
                continue;
            }
            self.steps.fetch_add(1, Ordering::SeqCst);
            let pick = self.chance(|rng| rng.below(ready.len() as u64));
            let at = ready[usize::try_from(pick).unwrap_or(0)];
            let (task, flag) = &mut tasks[at];
            flag.0.store(false, Ordering::SeqCst);
            let waker = Waker::from(Arc::clone(flag));
            if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                drop(tasks.swap_remove(at));
            }
        }
        false
    }

    /// Nothing is ready: on to the next timer. Whether there is one.
    fn advance(&self) -> bool {
        let mut timers = lock(&self.timers);
        let Some(next) = timers.iter().map(|(at, _)| *at).min() else { return false };
        self.now_ms.fetch_max(next, Ordering::SeqCst);
        let (due, later) = std::mem::take(&mut *timers).into_iter().partition(|(at, _)| *at <= next);
        *timers = later;
        let due: Vec<(u64, Waker)> = due;
        due.into_iter().for_each(|(_, waker)| waker.wake());
        true
    }
}

/// A lock whose holder panicked is of no more use to a test than the panic itself.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
