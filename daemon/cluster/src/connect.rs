//! The connection to a cluster.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderValue, Request, Response};
use kube::client::{Body, ConfigExt};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tower::{BoxError, Layer, ServiceExt};

use crate::ClusterError;
use crate::error::whole;

/// A watch is silent for at most a minute (bookmarks) and ends after five: whoever says nothing for longer is gone.
const SILENCE: Duration = Duration::from_mins(5);

/// A connection to the API server of one cluster. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    pub(crate) client: Client,
    config: Arc<Config>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("server", &self.server()).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Connects by this kubeconfig; without one by `KUBECONFIG`, `~/.kube/config` or, inside a cluster, the service
    /// account. Nothing is sent yet.
    pub async fn connect(kubeconfig: Option<&Path>) -> Result<Self, ClusterError> {
        let no_cluster = |error: &dyn std::error::Error| ClusterError::NoCluster(whole(error));
        let mut config = match kubeconfig {
            Some(path) => {
                let file = Kubeconfig::read_from(path).map_err(|error| no_cluster(&error))?;
                Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
                    .await
                    .map_err(|error| no_cluster(&error))?
            }
            None => Config::infer().await.map_err(|error| no_cluster(&error))?,
        };
        // kube would repeat a throttled request up to 15 times by itself. But whoever asks here has an own plan: the
        // engine waits and decides anew, a watch backs off. Two plans on top of each other multiply their waits, and
        // an old decision would be written minutes later.
        config.default_retry = false;
        config.read_timeout = Some(SILENCE);
        config.reset_reader_on_write = true;
        let agent = concat!("nightcap/", env!("CARGO_PKG_VERSION"));
        config.headers.push((USER_AGENT, HeaderValue::from_static(agent)));
        let client = Client::try_from(config.clone()).map_err(|error| no_cluster(&error))?;
        Ok(Self { client, config: Arc::new(config) })
    }

    /// The address of the API server.
    pub fn server(&self) -> String {
        self.config.cluster_url.to_string()
    }

    /// The namespace that the kubeconfig's context names, or `default`.
    pub fn default_namespace(&self) -> &str {
        self.client.default_namespace()
    }

    /// The API server's version, such as `v1.37.2`.
    pub async fn server_version(&self) -> Result<String, ClusterError> {
        Ok(self.client.apiserver_version().await?.git_version)
    }

    /// The token by which this connection shows who it is, for a daemon that asks the same API server about it.
    /// `None` for whoever shows a certificate instead.
    ///
    /// Tokens of files, of plug-ins and of the kubeconfig itself are all found by letting kube sign an empty request
    /// that goes nowhere.
    pub async fn bearer_token(&self) -> Result<Option<String>, ClusterError> {
        let no_token = |error: &dyn std::error::Error| ClusterError::NoCluster(whole(error));
        let Some(layer) = self.config.auth_layer().map_err(|error| no_token(&error))? else {
            return Ok(None);
        };
        let echo = tower::service_fn(|request: Request<Body>| async move {
            let mut response = Response::new(());
            if let Some(value) = request.headers().get(AUTHORIZATION) {
                response.headers_mut().insert(AUTHORIZATION, value.clone());
            }
            Ok::<_, BoxError>(response)
        });
        let signed = layer.layer(echo).oneshot(Request::new(Body::empty())).await;
        let signed = signed.map_err(|error| no_token(&*error))?;
        let header = signed.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        Ok(header.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned))
    }

    /// A cluster behind a service of a test.
    #[cfg(test)]
    pub(crate) fn of(client: Client) -> Self {
        let config = Config::new(http::Uri::from_static("http://127.0.0.1"));
        Self { client, config: Arc::new(config) }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::server::{Answer, scripted};

    /// A file of this text, in a folder of this test process.
    fn file(name: &str, text: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("nightcap-connect-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn kubeconfig(name: &str, user: &str) -> PathBuf {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
             clusters: [{{ name: k, cluster: {{ server: 'https://127.0.0.1:6443' }} }}]\n\
             contexts: [{{ name: c, context: {{ cluster: k, user: u, namespace: pay }} }}]\n\
             users: [{{ name: u, user: {user} }}]\n"
        );
        file(name, &text)
    }

    async fn token(name: &str, user: &str) -> Option<String> {
        let cluster = Cluster::connect(Some(&kubeconfig(name, user))).await.unwrap();
        cluster.bearer_token().await.unwrap()
    }

    #[tokio::test]
    async fn kubeconfig_tells_where_and_as_whom() {
        let cluster = Cluster::connect(Some(&kubeconfig("where", "{ token: t0ken }"))).await.unwrap();
        assert_eq!(cluster.server(), "https://127.0.0.1:6443/");
        assert_eq!(cluster.default_namespace(), "pay");
        assert!(!cluster.config.default_retry, "no waits beneath our own");
    }

    #[tokio::test]
    async fn token_is_found_where_the_user_has_one() {
        assert_eq!(token("inline", "{ token: t0ken }").await.as_deref(), Some("t0ken"));
        let held = file("token", "from-file");
        let user = format!("{{ tokenFile: '{}' }}", held.display());
        assert_eq!(token("by-file", &user).await.as_deref(), Some("from-file"));
        assert_eq!(token("basic", "{ username: ann, password: secret }").await, None);
        assert_eq!(token("nobody", "{}").await, None);
    }

    #[tokio::test]
    async fn missing_kubeconfig_says_what_to_do() {
        let error = Cluster::connect(Some(Path::new("/no/such/kubeconfig"))).await.unwrap_err().to_string();
        assert!(
            error.starts_with("no cluster: failed to read kubeconfig from '\"/no/such/kubeconfig\"'"),
            "{error}"
        );
        assert!(error.contains("--kubeconfig or KUBECONFIG"), "{error}");
    }

    #[tokio::test]
    async fn version_is_the_api_servers_own() {
        let version = serde_json::json!({
            "major": "1", "minor": "37", "gitVersion": "v1.37.2", "gitCommit": "", "gitTreeState": "", "buildDate": "",
            "goVersion": "", "compiler": "", "platform": "",
        });
        let (cluster, _) = scripted([Answer::json(200, &version)]);
        assert_eq!(cluster.server_version().await, Ok("v1.37.2".to_owned()));
    }
}
