//! How a service is started, as data: launchers carry it out, tests read it.

use std::path::PathBuf;
use std::time::Duration;

use super::Endpoint;
use crate::secret::Secret;

/// What is to be started: everything is settled, nothing is running.
///
/// The manager of `zcomm-services` makes it of the caller's wishes, the settings, and what it found free.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StartPlan {
    /// Where it is to listen, and the user, password and database it is to have.
    pub endpoint: Endpoint,
    /// The folder of its configuration and sockets; the account it runs under may enter and not write.
    pub folder: PathBuf,
    /// Where its data is to live; the account it runs under owns it.
    pub data_dir: PathBuf,
    /// Whether the data is to be there next time.
    pub persistent: bool,
    /// The version that was asked for; it chooses among installed ones, and the container's tag.
    pub version: Option<String>,
    /// Arguments that the caller wants appended.
    pub extra_args: Vec<String>,
    /// The container's image with its tag, where it is not to be the driver's own choice.
    pub image: Option<String>,
}

impl StartPlan {
    /// A throw-away instance at that place, with its data in `data` below `folder`.
    pub fn new(endpoint: Endpoint, folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self {
            endpoint,
            data_dir: folder.join("data"),
            folder,
            persistent: false,
            version: None,
            extra_args: Vec::new(),
            image: None,
        }
    }

    /// The same with its data elsewhere.
    #[must_use]
    pub fn data_dir(mut self, data_dir: impl Into<PathBuf>) -> Self {
        self.data_dir = data_dir.into();
        self
    }

    /// The same with data that is to be there next time.
    #[must_use]
    pub fn persistent(mut self) -> Self {
        self.persistent = true;
        self
    }
}

/// How one planned instance is started, from each source that can.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Recipes {
    /// As a child process, from a binary of this machine.
    pub process: Option<ProcessRecipe>,
    /// As a container.
    pub container: Option<ContainerRecipe>,
    /// As a service that the operating system manages.
    pub system: Option<SystemUnits>,
}

impl Recipes {
    /// A service that can only be found running.
    pub fn none() -> Self {
        Self::default()
    }

    /// The same, and it can be started as a process.
    #[must_use]
    pub fn with_process(mut self, process: ProcessRecipe) -> Self {
        self.process = Some(process);
        self
    }

    /// The same, and it can be started as a container.
    #[must_use]
    pub fn with_container(mut self, container: ContainerRecipe) -> Self {
        self.container = Some(container);
        self
    }

    /// The same, and the operating system may manage it.
    #[must_use]
    pub fn with_system(mut self, system: SystemUnits) -> Self {
        self.system = Some(system);
        self
    }
}

/// A binary and where it may be, besides `PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Program {
    /// The file's name, without `.exe`.
    pub name: String,
    /// Folders to look in; a component may hold one `*`, of which the highest version wins.
    pub look_in: Vec<String>,
}

impl Program {
    /// A binary that is on `PATH` or nowhere.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            look_in: Vec::new(),
        }
    }

    /// The same, looked for in these folders, too.
    #[must_use]
    pub fn also_in<D: Into<String>>(mut self, folders: impl IntoIterator<Item = D>) -> Self {
        self.look_in.extend(folders.into_iter().map(Into::into));
        self
    }
}

/// A service as a child process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProcessRecipe {
    /// The server.
    pub program: Program,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables for it; it gets no others of ours but `PATH`, the locale and the time zone.
    pub env: Vec<(String, Secret)>,
    /// Files to write before it starts: configuration, passwords. They never hold what a command line would show.
    pub files: Vec<RecipeFile>,
    /// Folders that it needs besides that of its data; only its account may enter them.
    pub folders: Vec<PathBuf>,
    /// The file among the data that says which version made it, where only that version can use it.
    pub version_file: Option<PathBuf>,
    /// What makes its data directory, in this order, if it does not do so itself.
    pub init: Vec<InitStep>,
    /// The account it runs under when we are root; `nobody` where there is none of that name.
    pub account: Account,
    /// The signal that asks it to stop.
    pub stop: StopSignal,
    /// How long it may take to stop before it is killed.
    pub stop_within: Duration,
    /// A file whose first line is the number of the process that has the data open.
    pub lock_file: Option<PathBuf>,
    /// How the data folder that the steps make may be kept and copied for the next time.
    pub template: Option<Template>,
}

impl ProcessRecipe {
    /// A server that needs no arguments and stops at SIGTERM within ten seconds.
    pub fn new(program: Program) -> Self {
        Self {
            program,
            args: Vec::new(),
            env: Vec::new(),
            files: Vec::new(),
            folders: Vec::new(),
            version_file: None,
            init: Vec::new(),
            account: Account::Nobody,
            stop: StopSignal::Terminate,
            stop_within: Duration::from_secs(10),
            lock_file: None,
            template: None,
        }
    }

    /// The same with these arguments appended.
    #[must_use]
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// The same with a file to write first.
    #[must_use]
    pub fn file(mut self, file: RecipeFile) -> Self {
        self.files.push(file);
        self
    }

    /// The same with a folder of its own.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folders.push(folder.into());
        self
    }

    /// The same with data that only the version named in `file` can use.
    #[must_use]
    pub fn version_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.version_file = Some(file.into());
        self
    }

    /// The same under another account when we are root.
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.account = account;
        self
    }

    /// The same with one more step that makes the data directory.
    #[must_use]
    pub fn init(mut self, init: InitStep) -> Self {
        self.init.push(init);
        self
    }

    /// The same with a file that names the process which has the data open.
    ///
    /// One that a killed server left behind is recognised, also when its number is somebody else's by now.
    #[must_use]
    pub fn lock_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.lock_file = Some(file.into());
        self
    }

    /// The same with data folders that may be copied from one that was made before.
    #[must_use]
    pub fn template(mut self, template: Template) -> Self {
        self.template = Some(template);
        self
    }

    /// The same with another way to stop.
    #[must_use]
    pub fn stop(mut self, signal: StopSignal, within: Duration) -> Self {
        self.stop = signal;
        self.stop_within = within;
        self
    }
}

/// The account of a process that root starts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Account {
    /// An account that the service's package makes.
    Named(&'static str),
    /// The account that owns nothing.
    Nobody,
}

/// A file that is written, with mode 0600, before a process starts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecipeFile {
    /// Where it goes.
    pub path: PathBuf,
    /// What it says.
    pub content: Secret,
}

impl RecipeFile {
    /// A file of that content.
    pub fn new(path: impl Into<PathBuf>, content: impl Into<Secret>) -> Self {
        Self {
            path: path.into(),
            content: content.into(),
        }
    }
}

/// A command that is run once, before the first start on a data directory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InitStep {
    /// The command.
    pub program: Program,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it reads.
    pub stdin: Secret,
    /// The file that is there once it has run; a step that makes none itself leaves it to the launcher.
    pub marker: PathBuf,
}

impl InitStep {
    /// A command that is run while `marker` is missing.
    pub fn new<A: Into<String>>(
        program: Program,
        args: impl IntoIterator<Item = A>,
        marker: impl Into<PathBuf>,
    ) -> Self {
        Self {
            program,
            args: args.into_iter().map(Into::into).collect(),
            stdin: Secret::from(""),
            marker: marker.into(),
        }
    }

    /// The same with something to read.
    #[must_use]
    pub fn stdin(mut self, text: impl Into<Secret>) -> Self {
        self.stdin = text.into();
        self
    }
}

/// What is to be changed in a copy of a data folder that the steps of a recipe made.
///
/// The launcher keeps such folders by the program, the steps and the account, and copies them in place of running the
/// steps again. The folder that is kept must hold no secret: the steps leave `blank` where one belongs, and every copy
/// gets its own there, of the same length.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Template {
    /// The file that holds the blank, below the data folder.
    pub file: PathBuf,
    /// What stands there in the folder that is kept.
    pub blank: String,
    /// What belongs there; as long as the blank.
    pub content: Secret,
}

impl Template {
    /// A folder in whose `file` the content takes the place of the blank.
    pub fn new(
        file: impl Into<PathBuf>,
        blank: impl Into<String>,
        content: impl Into<Secret>,
    ) -> Self {
        Self {
            file: file.into(),
            blank: blank.into(),
            content: content.into(),
        }
    }
}

/// How a process is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopSignal {
    /// SIGTERM; on Windows the process is ended.
    Terminate,
    /// SIGINT.
    Interrupt,
    /// SIGQUIT.
    Quit,
    /// SIGKILL: for throw-away data, which needs no good-bye.
    Kill,
}

/// A service as a container.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ContainerRecipe {
    /// The image with its tag.
    pub image: String,
    /// Variables for it.
    pub env: Vec<(String, Secret)>,
    /// The port it listens on inside.
    pub port: u16,
    /// Where its data lives inside.
    pub data_dir: String,
    /// Arguments after the image.
    pub args: Vec<String>,
    /// Files that are put into the container before it starts, by their paths inside.
    pub files: Vec<RecipeFile>,
}

impl ContainerRecipe {
    /// An image that needs no variables and keeps data in `data_dir`.
    pub fn new(image: impl Into<String>, port: u16, data_dir: impl Into<String>) -> Self {
        Self {
            image: image.into(),
            env: Vec::new(),
            port,
            data_dir: data_dir.into(),
            args: Vec::new(),
            files: Vec::new(),
        }
    }

    /// The same with a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The same with these arguments appended.
    #[must_use]
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// The same with a file inside.
    #[must_use]
    pub fn file(mut self, file: RecipeFile) -> Self {
        self.files.push(file);
        self
    }
}

/// The names under which operating systems manage a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SystemUnits {
    /// Units of systemd, the first that exists counts.
    pub systemd: Vec<String>,
    /// Formulas of Homebrew.
    pub brew: Vec<String>,
    /// Services of Windows.
    pub windows: Vec<String>,
}

impl SystemUnits {
    /// No names yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with units of systemd.
    #[must_use]
    pub fn systemd<A: Into<String>>(mut self, names: impl IntoIterator<Item = A>) -> Self {
        self.systemd.extend(names.into_iter().map(Into::into));
        self
    }

    /// The same with formulas of Homebrew.
    #[must_use]
    pub fn brew<A: Into<String>>(mut self, names: impl IntoIterator<Item = A>) -> Self {
        self.brew.extend(names.into_iter().map(Into::into));
        self
    }

    /// The same with services of Windows.
    #[must_use]
    pub fn windows<A: Into<String>>(mut self, names: impl IntoIterator<Item = A>) -> Self {
        self.windows.extend(names.into_iter().map(Into::into));
        self
    }
}
