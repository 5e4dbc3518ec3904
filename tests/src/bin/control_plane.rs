//! A control plane with a few priced nodes, to try things out by hand. Ends with Ctrl-C.

use nightcap_tests::objects::node;
use nightcap_tests::{ControlPlane, Options, wait};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Listened for before anything is started, so that an early Ctrl-C takes it all down too.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let run = async {
        let plane = ControlPlane::start(Options::with_metrics_server()).await?;
        introduce(&plane).await?;
        std::future::pending::<anyhow::Result<()>>().await
    };
    tokio::select! {
        result = run => result,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

async fn introduce(plane: &ControlPlane) -> anyhow::Result<()> {
    let client = plane.client()?;
    let region = "eu-central-1";
    let nodes = [
        ("node-1", "m5.xlarge", "4", "16Gi", "on-demand"),
        ("node-2", "m5.xlarge", "4", "16Gi", "spot"),
        ("node-3", "r5.large", "2", "16Gi", "on-demand"),
    ];
    for (name, instance_type, cpu, memory, capacity_type) in nodes {
        let zone = format!("{region}a");
        let provider_id = format!("aws:///{zone}/i-{name}");
        let built =
            node(name).instance_type(instance_type).region(region).zone(&zone).cpu(cpu).memory(memory);
        built.capacity_type(capacity_type).provider_id(&provider_id).create(&client).await?;
    }
    for (name, ..) in nodes {
        wait::node_ready(&client, name).await?;
    }
    let kubeconfig = plane.kubeconfig().display();
    println!("The control plane is up at {} with {} priced nodes.", plane.url(), nodes.len());
    println!();
    println!("    export KUBECONFIG={kubeconfig}");
    println!("    export PATH={}:$PATH   # a kubectl of its version", kubectl_folder()?);
    println!("    kubectl get nodes");
    println!("    nightcap run");
    println!();
    println!("Its logs lie beside that file. Ctrl-C ends it, and everything in it is lost.");
    Ok(())
}

fn kubectl_folder() -> anyhow::Result<String> {
    let kubectl = nightcap_tests::binaries::ensure("kubectl")?;
    Ok(kubectl.parent().map(|folder| folder.display().to_string()).unwrap_or_default())
}
