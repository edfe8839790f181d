#include "sandbox/stage.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "sandbox/mount_walk.hpp"
#include "sys/raw.hpp"

namespace sbx::sandbox {
namespace {

namespace raw = sys::raw;

constexpr int kExitFailure = 125;
constexpr int kExitNotRunnable = 126;
constexpr int kExitNotFound = 127;

constexpr std::size_t kMaxDigits = 12;

/// In decimal, with a NUL; `out` has room for kMaxDigits. fmt allocates, which nothing after clone may.
void write_number(char* out, int number) noexcept {
  std::array<char, kMaxDigits> digits{};
  std::size_t count = 0;
  do {
    digits.at(count++) = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  while (count > 0) {
    *out++ = digits.at(--count);
  }
  *out = '\0';
}

/// A path that leads to an open directory, whatever its name: proc(5), /proc/PID/fd.
class DescriptorPath {
 public:
  explicit DescriptorPath(int fd) noexcept {
    std::memcpy(text_.data(), kFolder.data(), kFolder.size());
    write_number(text_.data() + kFolder.size(), fd);
  }
  [[nodiscard]] const char* c_str() const noexcept { return text_.data(); }

 private:
  static constexpr std::string_view kFolder = "/proc/self/fd/";
  std::array<char, kFolder.size() + kMaxDigits> text_{};
};

/// The process between clone and execve. Members are plain: nothing to destroy, everything goes at execve.
class Stage {
 public:
  Stage(PreparedPlan& prepared, const StageFds& fds) noexcept
      : prepared_(prepared), plan_(prepared.plan()), fds_(fds) {
    report_.begin_ns = raw::monotonic_ns();
  }

  [[noreturn]] void run() noexcept {
    begin();
    set_up_network();
    wait_for_maps();
    take_bind_sources();
    become_root();
    mount_root();
    prefetch_command();
    apply_mounts();
    enter_root();
    name_host();
    open_terminal();
    limit_privileges();
    send_report(ready_fd_);
    start_command();
  }

  /// In the namespaces of a sandbox that runs.
  [[noreturn]] void run_joined() noexcept {
    (void)raw::set_process_name("sbx: exec");
    raw::default_all_signals();
    (void)raw::block_all_signals();
    (void)raw::set_dumpable(false);  // as of the stage: our memory is that of a process of the host
    plan_.title.overwrite("sbx: exec");
    (void)raw::umask(0);
    root_ =
        static_cast<int>(check(Step::kOpenRoot, raw::open(raw::kCwd, "/", O_PATH | O_DIRECTORY)));
    change_directory();
    if (plan_.terminal) {
      make_terminal();
    }
    limit_privileges();
    send_report(ready_fd_);
    become_command();
  }

 private:
  // --- reporting ---

  void send_report(int fd) noexcept { (void)raw::send(fds_.control, &report_, sizeof report_, fd); }

  [[noreturn]] void fail(Step step, long result, int code = kExitFailure) noexcept {
    report_.step = step;
    report_.error = static_cast<std::int32_t>(-result);
    send_report(-1);
    raw::exit(code);
  }

  long check(Step step, long result) noexcept {
    if (result < 0) {
      fail(step, result);
    }
    return result;
  }

  template <class T>
  T check(Step step, FsResult<T> result) noexcept {
    if (!result) {
      fail(step, -result.error().value());
    }
    return std::move(result).value();
  }

  // --- the steps, in order ---

  void begin() noexcept {
    (void)raw::set_process_name("sbx: init");
    raw::default_all_signals();
    (void)raw::block_all_signals();
    (void)raw::set_parent_death_signal(SIGKILL);
    plan_.title.overwrite("sbx: init");
    (void)raw::umask(0);
  }

  void set_up_network() noexcept {
    switch (plan_.network) {
      case Network::kHost:
        return;
      case Network::kNone:
        if (const FsResult<void> up = sys::bring_up_loopback(); !up) {
          fail(Step::kLoopback, -up.error().value());
        }
        return;
      case Network::kTap: {
        const sys::Fd tap = check(Step::kTap, sys::make_tap(plan_.tap));
        check(Step::kSendTap, raw::send(fds_.net, "t", 1, tap.get()));
        (void)raw::close(fds_.net);
        return;
      }
    }
  }

  void wait_for_maps() noexcept {
    report_.network_ns = raw::monotonic_ns();
    char byte = 0;
    int none = -1;
    const long got = raw::receive(fds_.control, &byte, sizeof byte, &none);
    if (got <= 0) {
      fail(Step::kParentGone, got);
    }
    // Our memory came from the supervisor: nothing inside may read it, nor reach the program file by /proc/1/exe. Not
    // before the maps are written: the /proc files of a process that is not dumpable belong to root, and a supervisor
    // that writes uid_map itself would be refused if we were quicker (proc(5), /proc/PID).
    (void)raw::set_dumpable(false);
    report_.maps_ns = raw::monotonic_ns();
  }

  void take_bind_sources() noexcept {
    // A root of ours cannot go where only its user may go, as below a home of mode 0700.
    root_point_ = static_cast<int>(check(
        Step::kOpenRoot, raw::open(raw::kCwd, plan_.root_point.c_str(), O_PATH | O_DIRECTORY)));
    if (plan_.overlay) {
      const auto open_folder = [&](const std::string& path) {
        return static_cast<int>(
            check(Step::kOverlay, raw::open(raw::kCwd, path.c_str(), O_RDONLY | O_DIRECTORY)));
      };
      upper_ = open_folder(plan_.overlay->upper);
      work_ = open_folder(plan_.overlay->work);
    }
    for (std::uint32_t i = 0; i < plan_.mounts.size(); ++i) {
      const MountStep& step = plan_.mounts[i];
      if (step.kind != MountStep::Kind::kBind) {
        continue;
      }
      report_.index = i;
      const long tree = take_source(step);
      prepared_.source_fds()[i] = static_cast<int>(tree);
      if (step.device) {
        struct stat st {};
        check(Step::kBindSource, raw::fstat(static_cast<int>(tree), &st));
        check(Step::kNotADevice, S_ISCHR(st.st_mode) ? 0 : -ENODEV);
      }
    }
  }

  long take_source(const MountStep& step) noexcept {
    if (step.in_memory) {
      // What is copied is opened now too: later we may be nobody that its file system knows.
      return check(Step::kBindSource,
                   raw::open(raw::kCwd, step.source.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    }
    if (step.beneath.empty()) {
      return check(Step::kBindSource,
                   raw::open_tree_clone(raw::kCwd, step.source.c_str(), step.recursive));
    }
    constexpr std::uint64_t kBelow = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const int top = static_cast<int>(
        check(Step::kBindSource, raw::open(raw::kCwd, step.source.c_str(), O_PATH | O_DIRECTORY)));
    const int found = static_cast<int>(check(
        Step::kBindBeneath, raw::open_resolved(top, step.beneath.c_str(), O_PATH, 0, kBelow)));
    // Of what was found, not of its name: somebody may be exchanging it just now.
    const long tree = check(Step::kBindSource, raw::open_tree_clone(found, "", step.recursive));
    (void)raw::close(found);
    (void)raw::close(top);
    return tree;
  }

  void become_root() noexcept {
    if (plan_.identities.become_root) {
      check(Step::kIds, raw::set_gid(0));
      check(Step::kIds, raw::set_uid(0));
      // setuid clears the death signal where it changes anything; prctl(2).
      (void)raw::set_parent_death_signal(SIGKILL);
      (void)raw::set_dumpable(false);
    }
  }

  void mount_root() noexcept {
    check(Step::kPrivate, raw::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
    if (fds_.root >= 0) {
      root_ = fds_.root;
      check(Step::kMountRoot, raw::move_mount(root_, root_point_));
    } else {
      mount_own_root();
    }
    if (plan_.overlay) {
      mount_overlay(*plan_.overlay);
    }
    (void)raw::close(root_point_);
    report_.root_ns = raw::monotonic_ns();
  }

  void mount_own_root() noexcept {
    const int fuse =
        static_cast<int>(check(Step::kOpenFuse, raw::open(raw::kCwd, "/dev/fuse", O_RDWR)));
    std::array<char, kMaxDigits> digits{};
    write_number(digits.data(), fuse);
    root_ = make_file_system("fuse", plan_.root_options, {}, digits.data());
    check(Step::kMountRoot, raw::move_mount(root_, root_point_));
    check(Step::kSendFuse, raw::send(fds_.fuse, "f", 1, fuse));
    // From here on the file system process alone holds the device: if it dies the mount is dead, not hung.
    (void)raw::close(fuse);
    (void)raw::close(fds_.fuse);
  }

  /// Over the root that is mounted already. By descriptors: paths may be closed to us, long, or have commas in them.
  void mount_overlay(const KernelOverlay& overlay) noexcept {
    check(Step::kOverlay, raw::fchown(upper_, overlay.uid, overlay.gid));
    check(Step::kOverlay, raw::fchmod(upper_, overlay.mode));
    const DescriptorPath lower(root_);
    const DescriptorPath upper(upper_);
    const DescriptorPath work(work_);
    const std::array<raw::FsOption, 6> options{{{"source", "sbx"},
                                                {"lowerdir", lower.c_str()},
                                                {"upperdir", upper.c_str()},
                                                {"workdir", work.c_str()},
                                                {"userxattr", nullptr},
                                                {"volatile", nullptr}}};
    const int merged = static_cast<int>(check(
        Step::kOverlay,
        raw::make_mount("overlay", std::span(options).first(overlay.is_volatile ? 6 : 5), {})));
    check(Step::kOverlay, raw::set_times(upper_, overlay.modified));
    check(Step::kOverlay, raw::move_mount(merged, root_point_));
    // What is below stays alive by the overlay, and is out of reach with the old root.
    (void)raw::close(root_);
    (void)raw::close(upper_);
    (void)raw::close(work_);
    root_ = merged;
  }

  /// Lets the file system process read the program while the mounts are made: execve would ask for it in twenty
  /// requests, one after the other. A wrong guess and any failure change nothing.
  void prefetch_command() noexcept {
    constexpr std::uint64_t kMost = std::uint64_t{4} << 20U;
    constexpr std::size_t kWindow = std::size_t{128} << 10U;
    long program = -ENOENT;
    for (const std::string& candidate : plan_.command.candidates) {
      program = open_for_reading(root_, candidate.c_str());
      if (program != -ENOENT) {
        break;
      }
    }
    struct stat st {};
    if (program < 0 || raw::fstat(static_cast<int>(program), &st) < 0) {
      return;
    }
    const std::uint64_t end = std::min(kMost, static_cast<std::uint64_t>(st.st_size));
    for (std::uint64_t at = 0; at < end; at += kWindow) {
      (void)raw::readahead(static_cast<int>(program), at, kWindow);
    }
    (void)raw::close(static_cast<int>(program));
  }

  /// `fd`: the value of an option of this name; nullptr: there is none.
  int make_file_system(const char* type,
                       const std::vector<std::pair<std::string, std::string>>& wanted,
                       const raw::MountAttributes& attributes, const char* fd) noexcept {
    constexpr std::size_t kMaxOptions = 8;
    std::array<raw::FsOption, kMaxOptions> options{};
    std::size_t count = 0;
    if (fd != nullptr) {
      options.at(count++) = {"fd", fd};
    }
    for (const auto& [key, value] : wanted) {
      if (count < kMaxOptions) {
        options.at(count++) = {key.c_str(), value.empty() ? nullptr : value.c_str()};
      }
    }
    return static_cast<int>(check(fd != nullptr ? Step::kMountRoot : Step::kMount,
                                  raw::make_mount(type, {options.data(), count}, attributes)));
  }

  void apply_mounts() noexcept {
    for (std::uint32_t i = 0; i < plan_.mounts.size(); ++i) {
      report_.index = i;
      const MountStep& step = plan_.mounts[i];
      switch (step.kind) {
        case MountStep::Kind::kBind:
          attach(step,
                 step.in_memory ? copy_to_memory(prepared_.source_fds()[i])
                                : prepared_.source_fds()[i],
                 step.recursive);
          break;
        case MountStep::Kind::kInstance:
          attach(step,
                 make_file_system(step.fs_type.c_str(), step.options, step.attributes, nullptr),
                 false);
          break;
        case MountStep::Kind::kSymlink:
          make_symlink(step);
          break;
        case MountStep::Kind::kMask:
          mask(step);
          break;
        case MountStep::Kind::kReadOnly:
          make_read_only(step);
          break;
      }
    }
    if (memory_ >= 0) {
      (void)raw::close(memory_);
    }
    if (plan_.read_only_root) {
      check(Step::kReadOnlyRoot, raw::set_mount_attributes(root_, {.read_only = true}, false));
    }
    report_.mounts_ns = raw::monotonic_ns();
  }

  void attach(const MountStep& step, int tree, bool recursive) noexcept {
    if (step.kind == MountStep::Kind::kBind) {
      raw::MountAttributes attributes = step.attributes;
      attributes.make_private = !attributes.make_slave;
      check(Step::kMountAttributes, raw::set_mount_attributes(tree, attributes, recursive));
    }
    struct stat st {};
    check(Step::kMount, raw::fstat(tree, &st));
    const bool directory = S_ISDIR(st.st_mode);
    const long target = check(
        Step::kMountTarget,
        open_target(root_, step.target.c_str(),
                    directory ? TargetKind::kDirectory : TargetKind::kFile, step.follow_links));
    check(Step::kMount, raw::move_mount(tree, static_cast<int>(target)));
    (void)raw::close(static_cast<int>(target));
    (void)raw::close(tree);
  }

  /// A mount of one file: a copy of `from`, which is closed. All copies share a tmpfs.
  int copy_to_memory(int from) noexcept {
    constexpr std::array<raw::FsOption, 2> kSmall{{{"size", "16m"}, {"mode", "755"}}};
    if (memory_ < 0) {
      memory_ = static_cast<int>(check(
          Step::kMount,
          raw::make_mount("tmpfs", kSmall, {.no_suid = true, .no_dev = true, .no_exec = true})));
      // What is attached nowhere cannot be bound (before Linux 6.15). The host's tree, as we see it, is needed no more,
      // and takes this along when it goes.
      const int place =
          static_cast<int>(check(Step::kMount, raw::open(raw::kCwd, "/dev", O_PATH | O_DIRECTORY)));
      check(Step::kMount, raw::move_mount(memory_, place));
      (void)raw::close(place);
    }
    std::array<char, kMaxDigits> name{};
    write_number(name.data(), from);
    const int to = static_cast<int>(
        check(Step::kMount, raw::open(memory_, name.data(), O_WRONLY | O_CREAT | O_EXCL, 0644)));
    std::array<char, 4096> buffer;  // NOLINT: filled below
    for (;;) {
      const long got = check(Step::kBindSource, raw::read(from, buffer.data(), buffer.size()));
      if (got == 0) {
        break;
      }
      const long put = raw::write(to, buffer.data(), static_cast<std::size_t>(got));
      check(Step::kMount, put >= 0 && put < got ? -ENOSPC : put);
    }
    const int copy = static_cast<int>(check(Step::kMount, raw::open_tree_clone(to, "", false)));
    (void)raw::close(from);
    (void)raw::close(to);
    return copy;
  }

  void make_symlink(const MountStep& step) noexcept {
    const std::size_t slash = step.target.find_last_of('/');
    std::array<char, 256> parent{};
    if (slash >= parent.size()) {
      fail(Step::kMountTarget, -ENAMETOOLONG);
    }
    std::memcpy(parent.data(), step.target.data(), slash);
    const int dir = static_cast<int>(check(
        Step::kMountTarget, open_target(root_, parent.data(), TargetKind::kDirectory, false)));
    const long made = raw::symlink(step.source.c_str(), dir, step.target.c_str() + slash + 1);
    check(Step::kMakeTarget, made == -EEXIST ? 0 : made);
    (void)raw::close(dir);
  }

  /// Hides a file behind /dev/null of the sandbox's own /dev, a directory behind an empty read-only tmpfs.
  void mask(const MountStep& step) noexcept {
    const long target = find_target(root_, step.target.c_str(), false);
    if (target < 0) {
      return;  // absent: nothing to hide
    }
    struct stat st {};
    check(Step::kMountTarget, raw::fstat(static_cast<int>(target), &st));
    long cover = 0;
    if (S_ISDIR(st.st_mode)) {
      constexpr std::array<raw::FsOption, 2> kEmpty{{{"size", "4k"}, {"mode", "755"}}};
      cover = raw::make_mount(
          "tmpfs", kEmpty, {.read_only = true, .no_suid = true, .no_dev = true, .no_exec = true});
    } else {
      // Fully resolved below our own tmpfs: never the image's /dev/null.
      const long null = check(Step::kMountTarget, find_target(root_, "/dev/null", false));
      cover = raw::open_tree_clone(static_cast<int>(null), "", false);
      (void)raw::close(static_cast<int>(null));
    }
    check(Step::kMount, cover);
    check(Step::kMount, raw::move_mount(static_cast<int>(cover), static_cast<int>(target)));
    (void)raw::close(static_cast<int>(cover));
    (void)raw::close(static_cast<int>(target));
  }

  void make_read_only(const MountStep& step) noexcept {
    const long target = find_target(root_, step.target.c_str(), false);
    if (target < 0) {
      return;
    }
    const int fd = static_cast<int>(target);
    const int tree = static_cast<int>(check(Step::kMount, raw::open_tree_clone(fd, "", true)));
    check(Step::kMountAttributes, raw::set_mount_attributes(tree, {.read_only = true}, true));
    check(Step::kMount, raw::move_mount(tree, fd));
    (void)raw::close(tree);
    (void)raw::close(fd);
  }

  void enter_root() noexcept {
    // pivot_root(2) onto the same directory: the old root is mounted over the new one and then taken away.
    check(Step::kPivot, raw::fchdir(root_));
    check(Step::kPivot, raw::pivot_root(".", "."));
    check(Step::kPivot, raw::umount_lazily("."));
    check(Step::kPivot, raw::chdir("/"));
    (void)raw::close(root_);
    root_ =
        static_cast<int>(check(Step::kOpenRoot, raw::open(raw::kCwd, "/", O_PATH | O_DIRECTORY)));
    change_directory();
  }

  void change_directory() noexcept {
    const std::string& wanted = plan_.command.working_directory;
    if (wanted != "/") {
      const long dir = plan_.read_only_root
                           ? find_target(root_, wanted.c_str(), true)
                           : open_target(root_, wanted.c_str(), TargetKind::kDirectory, true);
      check(Step::kWorkingDirectory, dir);
      check(Step::kWorkingDirectory, raw::fchdir(static_cast<int>(dir)));
      (void)raw::close(static_cast<int>(dir));
    }
  }

  void name_host() noexcept {
    if (!plan_.hostname.empty()) {
      check(Step::kHostname, raw::set_host_name(plan_.hostname.data(), plan_.hostname.size()));
    }
    const long keyring = raw::new_session_keyring();
    // ENOSYS and EPERM: no keys in this kernel, or an outer sandbox forbids them; then there is nothing to shield.
    check(Step::kKeyring,
          keyring == -ENOSYS || keyring == -EPERM || keyring == -EDQUOT ? 0 : keyring);
  }

  void open_terminal() noexcept {
    if (!plan_.terminal) {
      return;
    }
    make_terminal();
    const int console = static_cast<int>(
        check(Step::kTerminal, open_target(root_, "/dev/console", TargetKind::kFile, false)));
    const int tree =
        static_cast<int>(check(Step::kTerminal, raw::open_tree_clone(slave_, "", false)));
    check(Step::kTerminal, raw::move_mount(tree, console));
    (void)raw::close(tree);
    (void)raw::close(console);
  }

  void make_terminal() noexcept {
    const int master = static_cast<int>(
        check(Step::kTerminal, raw::open(raw::kCwd, "/dev/pts/ptmx", O_RDWR | O_NOCTTY)));
    slave_ = static_cast<int>(check(Step::kTerminal, raw::open_pty_peer(master)));
    ready_fd_ = master;
  }

  void limit_privileges() noexcept {
    const Credentials& who = plan_.credentials;
    check(Step::kCapabilities,
          raw::limit_bounding_set(who.capabilities, prepared_.last_capability()));
    if (who.no_new_privileges) {
      check(Step::kCapabilities, raw::set_no_new_privs());
    }
    report_.ready_ns = raw::monotonic_ns();
  }

  [[noreturn]] void start_command() noexcept {
    if (prepared_.instead() != nullptr) {
      (*prepared_.instead())();
      raw::exit(0);
    }
    if (!plan_.init) {
      become_command();
    }
    const long child = check(Step::kFork, raw::fork());
    if (child == 0) {
      become_command();
    }
    check(Step::kCapabilities, raw::set_capabilities(plan_.credentials.capabilities));
    // PID 1 lives as long as the sandbox: it keeps none of what was only needed to build it.
    (void)raw::close_range(0, ~0U);
    run_init(static_cast<pid_t>(child));
  }

  [[noreturn]] void become_command() noexcept {
    (void)raw::new_session();  // EPERM: we lead a session already
    connect_streams();
    change_user();
    (void)raw::umask(022);
    check(Step::kStandardStreams, raw::close_on_exec_from(3));
    (void)raw::unblock_all_signals();
    execute();
  }

  void connect_streams() noexcept {
    if (slave_ >= 0) {
      check(Step::kTerminal, raw::set_controlling_terminal(slave_));
      for (const int standard : {0, 1, 2}) {
        check(Step::kStandardStreams, raw::dup2(slave_, standard));
      }
      return;
    }
    check(Step::kStandardStreams, raw::dup2(or_null(fds_.in), 0));
    check(Step::kStandardStreams, raw::dup2(or_null(fds_.out), 1));
    check(Step::kStandardStreams, raw::dup2(or_null(fds_.err), 2));
  }

  int or_null(int fd) noexcept {
    return fd >= 0 ? fd
                   : static_cast<int>(
                         check(Step::kStandardStreams, raw::open(raw::kCwd, "/dev/null", O_RDWR)));
  }

  void change_user() noexcept {
    const Credentials& who = plan_.credentials;
    if (who.groups.has_value()) {
      check(Step::kGroups, raw::set_groups(who.groups->data(), who.groups->size()));
    }
    if (slave_ >= 0) {
      check(Step::kTerminal, raw::fchown(slave_, who.uid, static_cast<gid_t>(-1)));
    }
    check(Step::kUser, raw::set_gid(who.gid));
    check(Step::kUser, raw::set_uid(who.uid));
    // For another user than root the kernel has cleared them already.
    check(Step::kCapabilities, raw::set_capabilities(who.uid == 0 ? who.capabilities : 0));
  }

  [[noreturn]] void execute() noexcept {
    long worst = -ENOENT;
    for (const std::string& candidate : plan_.command.candidates) {
      const long result = raw::execve(candidate.c_str(), prepared_.argv(), prepared_.environment());
      // As execvp(3): "not there" tries the next, anything else is remembered as the better reason.
      if (result != -ENOENT && result != -ENOTDIR) {
        worst = result;
        if (result != -EACCES) {
          break;
        }
      }
    }
    fail(Step::kExec, worst, worst == -ENOENT ? kExitNotFound : kExitNotRunnable);
  }

  PreparedPlan& prepared_;
  const Plan& plan_;
  StageFds fds_;
  StageReport report_;
  int memory_ = -1;  // tmpfs of copy_to_memory()
  int root_point_ = -1;
  int upper_ = -1;  // of the kernel overlay; else not used
  int work_ = -1;
  int root_ = -1;
  int slave_ = -1;
  int ready_fd_ = -1;
};

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (const std::string& word : words) {
    out.push_back(const_cast<char*>(word.c_str()));  // NOLINT: execve(2) does not write to them
  }
  out.push_back(nullptr);
  return out;
}

}  // namespace

PreparedPlan::PreparedPlan(const Plan& plan)
    : plan_(plan),
      argv_(pointers(plan.command.argv)),
      environment_(pointers(plan.command.environment)),
      source_fds_(plan.mounts.size(), -1),
      last_capability_(sys::last_capability()) {}

void run_stage(PreparedPlan& prepared, const StageFds& fds) noexcept { Stage(prepared, fds).run(); }

void run_joined(PreparedPlan& prepared, const StageFds& fds) noexcept {
  Stage(prepared, fds).run_joined();
}

}  // namespace sbx::sandbox
