#include "sys/user_namespace.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include <optional>

#include "sys/channel.hpp"
#include "sys/child.hpp"
#include "sys/file.hpp"
#include "sys/ns.hpp"
#include "sys/probe_run.hpp"
#include "sys/raw.hpp"

namespace sbx::sys {
namespace {

constexpr int kSeconds = 3600;

constexpr Namespaces kNone{false, false, false, false, false, false, false};
constexpr Namespaces kUserOnly{true, false, false, false, false, false, false};

// Of the process between the two namespaces, and of what it clones: the stage of a sandbox has paths on it.
constexpr std::size_t kStackBytes = std::size_t{256} << 10U;

/// What the process between does; it may make `cloned`, a child of ours.
struct BetweenJob {
  const std::function<Result<void>(Cloned&)>& work;
  Cloned cloned;
  std::optional<Result<void>> done;
};

int run_between(void* data) noexcept {
  auto& job = *static_cast<BetweenJob*>(data);
  job.done = job.work(job.cloned);
  raw::exit(0);
}

/// A stack that takes no room until it is used.
class Stack {
 public:
  Stack()
      : memory_(::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0)) {}
  ~Stack() {
    if (valid()) {
      (void)::munmap(memory_, kStackBytes);
    }
  }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  [[nodiscard]] bool valid() const { return memory_ != MAP_FAILED; }
  [[nodiscard]] void* top() const { return static_cast<char*>(memory_) + kStackBytes; }

 private:
  void* memory_;
};

Result<void> clone_and_run(const Namespaces& namespaces, const std::function<void()>& body,
                           Cloned& cloned) {
  cloned = SBX_TRY(clone_into(namespaces, Parentage::kSibling));
  if (cloned.pid == 0) {
    body();
    raw::exit(1);
  }
  return {};
}

// We stay where we are, as files of the host are to be made by us. So a process in between joins namespaces and clones: it shares our
// memory and descriptors, as after vfork(2), so it costs no copy of our page tables, we go on when it has ended, and the pidfd that
// it gets is ours. What it clones has a copy of everything, as if we had cloned it.
Result<Cloned> clone_from_between(const std::function<Result<void>(Cloned&)>& work) {
  const Stack stack;
  if (!stack.valid()) {
    return fail(Error::system("allocate", "a stack"));
  }
  BetweenJob job{work, {}, {}};
  const int pid =
      ::clone(run_between, stack.top(), CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &job);
  if (pid < 0) {
    return fail(Error::system("start a process", ""));
  }
  (void)Child(pid, Fd()).wait();  // it has ended; what it has to say is in `job`
  if (job.done && *job.done) {
    return std::move(job.cloned);
  }
  if (job.cloned.pid > 0) {
    const Child doomed(job.cloned.pid, std::move(job.cloned.pidfd));
  }
  return fail(job.done ? std::move(*job.done).error()
                       : Error::make(ErrorCode::kSystem, "create namespaces", "", "killed"));
}

}  // namespace

Result<Fd> user_namespace_of(pid_t pid) {
  return open_at(AT_FDCWD, fmt::format("/proc/{}/ns/user", pid), O_RDONLY);
}

Result<Fd> make_user_namespace(const IdMaps& maps, MapWriter writer, bool deny_setgroups) {
  Pipe pipe = SBX_TRY(make_pipe());
  Cloned cloned = SBX_TRY(clone_into(kUserOnly));
  if (cloned.pid == 0) {
    // Here only so that the namespace is somebody's: until the other end is closed, also by our parent's death.
    (void)raw::close(pipe.writer.get());
    char none = 0;
    (void)raw::read(pipe.reader.get(), &none, 1);
    raw::exit(0);
  }
  Child holder(cloned.pid, std::move(cloned.pidfd));
  MapWriting writing = SBX_TRY(MapWriting::start(holder.pid(), maps, writer, deny_setgroups));
  SBX_TRY(writing.finish());
  return user_namespace_of(holder.pid());
}

Result<Cloned> clone_inside(int outer, const Namespaces& namespaces, const IdMaps& inside,
                            const std::function<void()>& body) {
  return clone_from_between([&](Cloned& cloned) -> Result<void> {
    if (::setns(outer, CLONE_NEWUSER) != 0) {
      return fail(Error::system("join the user namespace", ""));
    }
    SBX_TRY(clone_and_run(namespaces, body, cloned));
    // A process in the parent of a user namespace may map whatever is there; user_namespaces(7).
    MapWriting writing =
        SBX_TRY(MapWriting::start(cloned.pid, inside, MapWriter::kOurselves, false));
    return writing.finish();
  });
}

Result<Cloned> clone_joined(int process, const Namespaces& joined,
                            const std::function<void()>& body) {
  return clone_from_between([&](Cloned& cloned) -> Result<void> {
    if (::setns(process, static_cast<int>(clone_flags(joined))) != 0) {
      return fail(Error::system("join the namespaces of the container", ""));
    }
    return clone_and_run(kNone, body, cloned);
  });
}

Result<void> enter_tree_of(int process) {
  if (::setns(process, CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    return fail(Error::system("join the namespaces of the container", ""));
  }
  // EINVAL: it has no id 0; then we are whoever we are there.
  (void)raw::set_gid(0);
  (void)raw::set_uid(0);
  (void)raw::set_dumpable(false);
  return {};
}

Result<void> enter_new_namespaces() {
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    return fail(Error::system("create namespaces", ""));
  }
  return {};
}

Result<std::string> ask_in_user_namespace(int user_namespace,
                                          const std::function<Result<std::string>()>& action) {
  Trial trial = try_out(
      [&]() -> Result<std::string> {
        if (::setns(user_namespace, CLONE_NEWUSER) != 0) {
          return fail(Error::system("join the user namespace", ""));
        }
        return action();
      },
      kSeconds);
  return trial.passed
             ? Result<std::string>(std::move(trial.text))
             : fail(Error::make(ErrorCode::kSystem, "work in a user namespace", "", trial.text));
}

Result<void> run_in_user_namespace(int user_namespace,
                                   const std::function<Result<void>()>& action) {
  (void)SBX_TRY(ask_in_user_namespace(user_namespace, [&]() -> Result<std::string> {
    SBX_TRY(action());
    return std::string();
  }));
  return {};
}

}  // namespace sbx::sys
