//! The arguments of `hallpass credential`: the protocols of other tools.

#![allow(clippy::doc_markdown, reason = "clap shows these words to people, without a markdown")]

use clap::{Args, Subcommand, ValueEnum};

#[derive(Args, Clone, Debug)]
pub(crate) struct Credential {
    #[command(subcommand)]
    pub(crate) tool: Tool,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Tool {
    /// A credential helper of git: the request comes on stdin
    #[command(
        after_help = "Example:\n  git config --global credential.https://git.example.com.helper '!hallpass credential git'\n\n\
                      It answers for https and the hosts in config.toml only:\n  \
                      [hallpass.git]\n  hosts = [\"git.example.com\"]\n  \
                      username = \"oauth2\"     where the host wants a name [default: x-access-token]"
    )]
    Git {
        /// get, store or erase; git says which
        operation: String,
    },
    /// A credential helper of docker: the request comes on stdin
    #[command(after_help = "Example:\n  ln -s \"$(command -v hallpass)\" ~/.local/bin/docker-credential-hallpass\n\n\
                      In ~/.docker/config.json:\n  \
                      {\"credHelpers\": {\"registry.example.com\": \"hallpass\"}}\n\n\
                      It answers for the hosts in config.toml only:\n  \
                      [hallpass.docker]\n  hosts = [\"registry.example.com\"]\n  \
                      username = \"<token>\"    for an identity token [default: oauth2]")]
    Docker {
        /// What docker wants
        action: DockerAction,
    },
    /// A credential_process of the AWS tools: prints keys of a role
    #[command(
        after_help = "Example:\n  aws configure set profile.dev.credential_process 'hallpass credential aws'\n\n\
                      The role is assumed with the ID token of the session, by AWS STS. In config.toml:\n  \
                      [hallpass.aws]\n  role_arn = \"arn:aws:iam::123456789012:role/developer\"\n  \
                      region = \"eu-central-1\"\n  \
                      token = \"access_token\"      where that is what the role trusts [default: id_token]\n  \
                      session_name = \"ada\"         its name in AWS's logs [default: hallpass]\n  \
                      duration = 3600              in seconds [default: AWS's]"
    )]
    Aws,
    /// A credential plugin of kubectl: prints an ExecCredential
    #[command(
        after_help = "Example:\n  kubectl config set-credentials me --exec-api-version=client.authentication.k8s.io/v1 \\\n    \
                      --exec-interactive-mode=Never --exec-command=hallpass --exec-arg=credential --exec-arg=kubectl"
    )]
    Kubectl,
}

/// What docker asks of a credential helper.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum DockerAction {
    Get,
    Store,
    Erase,
    List,
}
