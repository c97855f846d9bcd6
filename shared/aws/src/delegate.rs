//! Ports that are another's, and some more.

/// Implements [`app::ports::Ports`] for a type whose field `shared` has them.
macro_rules! delegate_ports {
    ($outer:ident => $inner:ident) => {
        impl<A: app::ports::Apps> app::ports::Ports for $outer<A> {
            type Lanes = <$inner<A> as app::ports::Ports>::Lanes;
            type Queues = <$inner<A> as app::ports::Ports>::Queues;
            type Config = <$inner<A> as app::ports::Ports>::Config;
            type Apps = A;
            type WakeUps = <$inner<A> as app::ports::Ports>::WakeUps;

            fn lanes(&self) -> &Self::Lanes {
                self.shared.lanes()
            }
            fn queues(&self) -> &Self::Queues {
                self.shared.queues()
            }
            fn config(&self) -> &Self::Config {
                self.shared.config()
            }
            fn apps(&self) -> &A {
                self.shared.apps()
            }
            fn wakes(&self) -> &Self::WakeUps {
                self.shared.wakes()
            }
            fn now(&self) -> domain::Timestamp {
                self.shared.now()
            }
            fn fresh_id(&self) -> u128 {
                self.shared.fresh_id()
            }
            async fn sleep(&self, ms: u64) {
                self.shared.sleep(ms).await;
            }
        }
    };
}
pub(crate) use delegate_ports;
