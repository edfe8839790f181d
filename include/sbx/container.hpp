#pragma once

// Containers that were made: what they are, and what is done to them from outside. A container is named by its name, its id, or
// the beginning of its id that no other has. Roots are as in RunOptions::root.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sbx/outcome.hpp>

namespace sbx {

struct Container {
  std::string id;     // 64 hexadecimal digits
  std::string name;   // empty: none
  std::string image;  // as typed
  std::vector<std::string> command;
  std::map<std::string, std::string> labels;
  std::string status;     // "created", "running", "paused", "restarting" or "exited"
  int exit_code = 0;      // of its last end; 255 if it was killed with all that watched it
  int pid = 0;            // of its first process, on the host; 0: it does not run
  std::string created;    // RFC 3339
  std::string started;    // last time; empty: never
  std::string finished;   // last time; empty: never
  std::string error;      // why it could not run, or was ended by sbx
  std::string restart;    // policy: "no", "on-failure", "always" or "unless-stopped"
  unsigned restarts = 0;  // by itself, since somebody started it
  std::string
      health;  // "starting", "healthy" or "unhealthy"; empty: it does not run, or has no checks
  bool stopped = false;  // somebody has asked for its end, since somebody started it
  std::string image_id;  // digest of the manifest; empty: not an image of the store
};

/// All of them that the filters accept (docker's and podman's, "KEY=VALUE"; see sbx-ps(1)), the newest first.
Outcome<std::vector<Container>> containers(const std::string& root,
                                           const std::vector<std::string>& filters = {});
Outcome<Container> find_container(const std::string& root, const std::string& name);
/// All that is known of one, as JSON text with docker's member names. `size`: also SizeRw and SizeRootFs, in bytes.
Outcome<std::string> inspect_container(const std::string& root, const std::string& name, bool size);
/// On disk, in bytes: what it has written, and what sbx keeps of it.
Outcome<std::uint64_t> container_size(const std::string& root, const std::string& id);

/// Runs a container that was created or has ended, in the background; comes back once its command runs. One that runs is no
/// error. Closes all descriptors of this process but the standard streams.
Outcome<std::monostate> start_container(const std::string& root, const std::string& name);

/// How `attach` and `start --attach` pass our standard streams on.
struct AttachOptions {
  std::string detach_keys =
      "ctrl-p,ctrl-q";          // leave the container without ending it; empty: there are none
  bool input = true;            // ours is passed on
  std::optional<bool> signals;  // whether those that we get are sent to its command; default: yes
};

/// start_container(), with our standard streams from the first output on. The command's exit code; 0 after the detach keys.
Outcome<int> start_attached(const std::string& root, const std::string& name,
                            const AttachOptions& options);

/// The same for a container that runs in the background.
Outcome<int> attach_container(const std::string& root, const std::string& name,
                              const AttachOptions& options);

/// Sends its stop signal, and SIGKILL if it has not ended after `timeout` seconds (negative: never; nullopt: as it was made).
Outcome<std::monostate> stop_container(const std::string& root, const std::string& name,
                                       std::optional<int> timeout);

/// Sends a signal, by name or number, to the command of a running container.
Outcome<std::monostate> kill_container(const std::string& root, const std::string& name,
                                       const std::string& signal);

/// What `wait` waits for.
enum class WaitCondition {
  kNotRunning,  // that it has ended; one that was only created is waited for until it has run
  kNextExit,    // the next end from now on
  kRemoved
};

/// Waits for its end; its exit code.
Outcome<int> wait_for_container(const std::string& root, const std::string& name,
                                WaitCondition condition);

/// Stops all processes of a running container, until unpause_container().
Outcome<std::monostate> pause_container(const std::string& root, const std::string& name);
Outcome<std::monostate> unpause_container(const std::string& root, const std::string& name);

/// Its processes, a row each below the headings: docker's columns, or those of podman's descriptors ("pid", "user,args").
Outcome<std::vector<std::vector<std::string>>> container_processes(
    const std::string& root, const std::string& name, const std::vector<std::string>& descriptors);

/// What a container uses at a moment. Counters go up while it runs; all is zero of one that does not.
struct ContainerResources {
  std::string id;
  std::string name;
  std::uint64_t at_ns = 0;  // of a clock that only goes forward
  std::uint64_t cpu_ns = 0;
  std::uint64_t memory = 0;        // bytes
  std::uint64_t memory_limit = 0;  // that there are for it
  std::uint64_t threads = 0;
  std::uint64_t network_in = 0;  // bytes, as the following
  std::uint64_t network_out = 0;
  std::uint64_t block_in = 0;
  std::uint64_t block_out = 0;
};
Outcome<ContainerResources> container_resources(const std::string& root, const std::string& name);

/// Gives a container another name, whether it runs or not.
Outcome<std::monostate> rename_container(const std::string& root, const std::string& name,
                                         const std::string& new_name);

/// Deletes a container. `force`: also one that runs, which is killed; that there is none is no error. `volumes`: with the volumes that
/// were made for it without a name. Whether there was one.
Outcome<bool> remove_container(const std::string& root, const std::string& name, bool force,
                               bool volumes = false);

/// What `sbx exec` is asked to do; the words are docker's.
struct ExecOptions {
  std::string root;
  std::string container;
  std::vector<std::string> command;
  bool detach = false;
  bool interactive = false;
  bool terminal = false;
  std::vector<std::string> environment;  // NAME=VALUE, or NAME to take ours
  std::vector<std::string> environment_files;
  std::optional<std::string> working_directory;
  std::optional<std::string> user;  // by the container's accounts as they are now
};

/// Runs a command in a container that runs. The exit code is the command's, or 128 + n if signal n killed it; 0 with `detach`, once the
/// command runs.
Outcome<int> exec(const ExecOptions& options);

struct LogsRequest {
  std::string root;
  std::string container;
  bool follow = false;                // until the container ends
  std::optional<std::uint64_t> tail;  // only that many of the last lines
  std::string since;  // RFC 3339, seconds since 1970, or a duration ("10m"): nothing older
  std::string until;  // as `since`: nothing newer
};

struct LogLine {
  bool error = false;  // standard error, not standard output
  std::string time;    // RFC 3339
  std::string text;    // with its newline, if it had one
};

/// What a container wrote, line by line, to `take`; false from it ends the reading.
Outcome<std::monostate> read_logs(const LogsRequest& request,
                                  const std::function<bool(const LogLine&)>& take);

}  // namespace sbx
