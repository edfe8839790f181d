#pragma once

// What a sandbox will be, as data: made by runtime's planner (pure), printed by --dry-run, carried out by
// Stage. Nothing in here is looked up or decided later.

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sys/caps.hpp"
#include "sys/idmap.hpp"
#include "sys/netdev.hpp"
#include "sys/process_title.hpp"
#include "sys/raw.hpp"

namespace sbx::sandbox {

/// One change of the sandbox's file tree. Steps are carried out in order; a later one may build on an earlier.
struct MountStep {
  enum class Kind {
    kBind,      // `source` of the host appears at `target`
    kInstance,  // a new file system of type `fs_type` with `options`
    kSymlink,   // `target` becomes a symbolic link to `source`
    kMask,      // what stands at `target` is hidden: nothing to do if it is absent
    kReadOnly   // what stands at `target` becomes read-only: nothing to do if it is absent
  };
  Kind kind = Kind::kBind;
  std::string target;  // absolute, inside
  std::string source;
  std::string fs_type;
  std::vector<std::pair<std::string, std::string>> options;  // value empty: a flag
  sys::raw::MountAttributes attributes;
  bool recursive = false;  // kBind: with what is mounted below the source
  bool device =
      false;  // kBind: the source must be a character device, or the sandbox does not start
  bool in_memory = false;    // kBind: a file, of which a copy appears that goes with the sandbox
  bool make_source = false;  // kBind: the source is made as a directory before the start
  /// kBind: not the source but this below it, relative, found without following any link: what lies there is the sandbox's.
  std::string beneath;
  bool follow_links = false;  // links in `target` are followed (inside); otherwise they are refused
};

enum class Network {
  kHost,  // the host's own
  kNone,  // loopback only
  kTap    // loopback and a tap device, served by the network process
};

/// The ids, groups and rights of the command.
struct Credentials {
  uid_t uid = 0;
  gid_t gid = 0;
  /// Supplementary groups; nullopt keeps the invoker's (which show as 65534 where they are not mapped).
  std::optional<std::vector<gid_t>> groups;
  sys::CapabilityMask capabilities = 0;
  bool no_new_privileges = true;
};

struct Command {
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // NAME=VALUE
  std::vector<std::string> candidates;   // full paths to try in this order
  std::string working_directory = "/";   // made if it is not there
};

struct Identities {
  sys::IdMaps maps;
  sys::MapWriter writer = sys::MapWriter::kOurselves;
  bool deny_setgroups = true;
  /// The init process takes id 0 of the sandbox. False if 0 is not mapped.
  bool become_root = true;
};

/// The kernel's overlay over the FUSE root, which is read-only then; docs.kernel.org/filesystems/overlayfs.html.
struct KernelOverlay {
  std::string upper;  // directories of the host, empty, on one file system
  std::string work;
  bool is_volatile =
      false;  // nothing is synced, and what is there after a crash must not be used. Since Linux 5.10
  // What the upper directory, which is the sandbox's root, is given; ids as inside.
  mode_t mode = 0755;
  uid_t uid = 0;
  gid_t gid = 0;
  timespec modified{};
};

struct Plan {
  std::string id;        // of the container
  std::string hostname;  // empty: the host's
  std::string
      root_point;  // a directory of the host over which the root is mounted, in the sandbox's own view
  std::vector<std::pair<std::string, std::string>>
      root_options;  // of the FUSE mount, but for the descriptor
  std::optional<KernelOverlay> overlay;
  Identities identities;
  Network network = Network::kTap;
  sys::TapConfig tap;
  std::vector<MountStep> mounts;
  bool read_only_root = false;
  bool terminal = false;
  bool init =
      true;  // a process of ours is PID 1, reaps and forwards signals; else the command is PID 1
  Credentials credentials;
  Command command;
  sys::ProcessTitle
      title;  // ours, to be overwritten: the command line of the supervisor is not for inside
};

}  // namespace sbx::sandbox
