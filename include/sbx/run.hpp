#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sbx/outcome.hpp>
#include <sbx/registry.hpp>

namespace sbx {

/// Whose network the sandbox has.
enum class NetworkMode {
  kSlirp,  // an address of its own, served by libslirp
  kNone,   // loopback only
  kHost    // the host's
};

/// Which ids exist in the sandbox.
enum class UserNamespaceMode {
  kAuto,    // kFull if the machine grants subordinate ids, else kSingle
  kFull,    // root is the invoker, the rest are subordinate ids
  kSingle,  // one id: root is the invoker, and everything shows as root's
  kKeepId   // the invoker keeps user and group id inside
};

/// What the invoker is called inside if not by its own numbers: keep-id:uid=N,gid=N.
struct KeptIds {
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
};

/// Who takes the changes that a container makes to its image.
enum class OverlayEngine {
  kAuto,   // the kernel where it can, if the container is removed at its end; else our file system
  kFuse,   // our file system
  kKernel  // the kernel's overlay, above our file system, which then only reads
};

/// When an image is fetched from its registry, as docker and podman have it.
enum class PullPolicy {
  kMissing,  // if the store has none of that name
  kAlways,   // every time; layers that are there are not fetched again
  kNewer,    // every time, but what the store has will do if that fails
  kNever
};

/// How much a container may take of the disk, what its image has not counted. 0: as much as there is.
struct StorageLimits {
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
};

/// Where a container's output goes that nobody watches.
enum class LogDriver {
  kJsonFile,  // docker's json-file, for `sbx logs`
  kNone       // nowhere
};

/// --log-driver and --log-opt.
struct LogOptions {
  LogDriver driver = LogDriver::kJsonFile;
  std::uint64_t max_size = 0;  // bytes of one file; 0: no limit
  unsigned max_files = 1;      // with max_size: how many are kept, the newest included
};

/// When a container that has ended runs again, by itself.
enum class RestartPolicy {
  kNo,
  kOnFailure,  // with an exit code other than 0
  kAlways,     // unless it was stopped
  kUnlessStopped  // the same; but `sbx start --all --filter restart-policy=...` tells them apart after a reboot
};

/// --restart.
struct RestartOptions {
  RestartPolicy policy = RestartPolicy::kNo;
  unsigned most = 0;  // kOnFailure: restarts at most; 0: no limit
};

/// How a container's supervisor finds out whether it works: docker's HEALTHCHECK and --health-*. Times in milliseconds; 0: as the image
/// says, else docker's default.
struct HealthCheck {
  std::vector<std::string>
      test;  // {}: as the image says; {"NONE"}; {"CMD", WORD...}; {"CMD-SHELL", TEXT}
  std::int64_t interval = 0;        // between two (30 s)
  std::int64_t timeout = 0;         // of one (30 s)
  std::int64_t start_period = 0;    // in which failures do not count until the first success
  std::int64_t start_interval = 0;  // instead of `interval` during that (5 s)
  std::int64_t retries = 0;         // so many failures one after the other make it unhealthy (3)
};

/// What `sbx run` is asked to do; the words are docker's.
struct RunOptions {
  std::string root;  // directory of images and containers; empty: the usual one
  // A name, or oci:DIR[:REF], oci-archive:FILE[:REF], docker-archive:FILE[:REF], sif:FILE, sqsh:FILE, *.sif, *.sqsh, *.squashfs,
  // dir:ROOTFS, host.
  std::string image;
  std::vector<std::string> command;

  bool remove = false;       // --rm
  bool interactive = false;  // -i
  bool terminal = false;     // -t
  bool read_only = false;
  bool read_only_tmpfs = true;            // with read_only: /run, /tmp and /var/tmp can be written
  std::optional<std::uint64_t> shm_size;  // bytes of /dev/shm; 0: no limit; default: 64 MiB
  std::optional<bool> init;               // default: an init of ours, unless the command is one
  std::vector<std::string> environment;   // NAME=VALUE, or NAME to take ours
  std::vector<std::string> environment_files;
  std::optional<std::string> working_directory;
  std::optional<std::string> user;
  std::optional<std::string> entry_point;  // empty: none
  std::optional<std::string> hostname;
  std::optional<std::string> name;
  std::optional<std::string> id_file;  // gets the container's id; must not be there yet
  std::vector<std::string> labels;     // NAME=VALUE, or NAME; over the image's
  std::vector<std::string> label_files;
  std::vector<std::string> volumes;        // [SRC:]DST[:OPTIONS]
  std::vector<std::string> mounts;         // type=bind|volume|tmpfs,KEY[=VALUE],...
  std::vector<std::string> volumes_from;   // CONTAINER[:ro|rw]
  std::vector<std::string> tmpfs;          // DST[:OPTIONS]
  std::vector<std::string> devices;        // HOST[:INSIDE]
  LogOptions log;                          // of a detached container
  bool input_ends = false;                 // with the input of who attaches first; else never
  std::optional<std::string> stop_signal;  // a name or number; default: the image's, else SIGTERM
  int stop_timeout = 10;  // seconds that `sbx stop` waits before it kills; negative: for ever
  RestartOptions restart;
  HealthCheck health;
  NetworkMode network = NetworkMode::kSlirp;
  UserNamespaceMode user_namespace = UserNamespaceMode::kAuto;
  KeptIds kept_ids;      // with UserNamespaceMode::kKeepId
  std::string platform;  // OS/ARCH[/VARIANT]; empty: this machine's
  OverlayEngine overlay = OverlayEngine::kAuto;
  StorageLimits storage;  // with our file system only
  bool acls = false;      // POSIX ACLs in our file system
  bool no_new_privileges = true;
  bool unmask = false;     // show the parts of /proc and /sys that are hidden by default
  bool host_user = false;  // sbx shell: the invoker's account is known inside, its groups are kept

  PullPolicy pull = PullPolicy::kMissing;
  RegistryOptions registry;
  ProgressCallback progress;  // of a pull; may be empty

  bool timings = false;   // tell on stderr where start-up time went
  bool fs_stats = false;  // tell on stderr, at the end, what the file system was asked
};

/// The defaults, as sbx.conf(5) changes them.
Outcome<RunOptions> configured_run_options();

/// Runs a command in a new sandbox and waits for it. The exit code is the command's, or 128 + n if signal n killed it.
Outcome<int> run(const RunOptions& options);

/// Makes a container and does not start it. Its id.
Outcome<std::string> create_container(const RunOptions& options);

/// Runs a command in a new sandbox in the background. The container's id, once the command runs.
Outcome<std::string> run_detached(const RunOptions& options);

/// What run() would do, as JSON text; changes nothing.
Outcome<std::string> plan(const RunOptions& options);

/// The options of a developer's shell: the invoker's id, home, current directory and environment, and a shell of
/// theirs as the command if `options` has none. Fills in what is not set.
Outcome<RunOptions> shell_options(RunOptions options);

}  // namespace sbx
