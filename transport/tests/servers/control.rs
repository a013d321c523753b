//! Commands for a private RabbitMQ.

use std::process::Command;

use crate::server::RabbitMq;
use crate::servers::program;

impl RabbitMq {
    /// Has it obey.
    pub(crate) fn control(&self, arguments: &[&str]) {
        let script = program(&["/usr/lib/rabbitmq/bin/rabbitmqctl", "rabbitmqctl"]).expect("it comes with RabbitMQ");
        let mut command = Command::new(script);
        // It looks for the broker, and for the secret that they share, where the broker does.
        let broker = self.server.command();
        command.envs(broker.get_envs().filter_map(|(name, value)| Some((name, value?)))).args(arguments);
        let done = command.output().expect("it can be run");
        assert!(done.status.success(), "{command:?}: {done:?}");
    }
}
