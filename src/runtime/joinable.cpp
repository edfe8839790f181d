#include "runtime/joinable.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>

#include <array>
#include <charconv>

#include "sys/channel.hpp"
#include "sys/child.hpp"
#include "sys/file.hpp"
#include "sys/raw.hpp"
#include "sys/user_namespace.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kMaxChildren = std::size_t{64} << 10U;
// passwd files of large sites; more is not a passwd file.
constexpr std::size_t kMaxAccounts = std::size_t{8} << 20U;
// A container that has only just begun has no command yet, and one of which the memory is still ours may not be joined.
constexpr timespec kPause{0, 2'000'000};
constexpr int kTries = 2500;  // five seconds

Error not_running(const Container& container) {
  return Error::make(ErrorCode::kBusy, "reach into container", container.state.id.substr(0, 12),
                     "it is not running")
      .with_hint("'sbx start' runs it");
}

/// The container's command as it is now.
Result<sys::Fd> find_command(const Container& container, bool own_init) {
  const sys::ProcessMark& init = container.state.init;
  sys::Fd first = SBX_TRY(sys::open_process(init));
  if (!own_init) {
    return first;
  }
  const std::string path = fmt::format("/proc/{0}/task/{0}/children", init.pid);
  const sys::Fd file = SBX_TRY(sys::open_at(AT_FDCWD, path, O_RDONLY));
  const std::string text = SBX_TRY(sys::read_fd(file.get(), kMaxChildren, path));
  pid_t child = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), child).ec != std::errc()) {
    return fail(Error::make(ErrorCode::kNotFound, "find the command of", container.state.id,
                            "it has not begun, or has ended"));
  }
  sys::Fd command = SBX_TRY(sys::open_process(SBX_TRY(sys::mark_process(child))));
  (void)SBX_TRY(sys::open_process(init));  // alive until now: so it was its child
  return command;
}

/// Copies a file of the container to `out`. In a process inside, which may only use system calls.
void copy_from_inside(const char* path, int out) {
  const long file = sys::raw::open(sys::raw::kCwd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat st {};
  std::array<char, 4096> bytes;  // NOLINT: read before written never happens
  if (file < 0 || sys::raw::fstat(static_cast<int>(file), &st) < 0 || !S_ISREG(st.st_mode)) {
    sys::raw::exit(0);
  }
  for (long got = 1; got > 0;) {
    got = sys::raw::read(static_cast<int>(file), bytes.data(), bytes.size());
    if (got <= 0 || sys::raw::write(out, bytes.data(), static_cast<std::size_t>(got)) != got) {
      break;
    }
  }
  sys::raw::exit(0);
}

}  // namespace

Result<sys::Fd> open_command(const std::string& data_root, const Container& container,
                             bool own_init, const sys::Namespaces& joined) {
  for (int i = 0;; ++i) {
    Result<sys::Fd> command = find_command(container, own_init);
    Result<sys::Cloned> tried =
        command ? sys::clone_joined(command->get(), joined, [] { sys::raw::exit(0); })
                : fail(command.error());
    if (tried) {
      const sys::Child probe(tried->pid, std::move(tried->pidfd));
      return command;
    }
    if (i == kTries || !SBX_TRY(read_container(data_root, container.state.id)).running()) {
      return i == kTries ? fail(std::move(tried).error()) : fail(not_running(container));
    }
    (void)::nanosleep(&kPause, nullptr);
  }
}

Result<std::string> read_inside(int command, const sys::Namespaces& joined, const char* path) {
  sys::Pipe pipe = SBX_TRY(sys::make_pipe());
  sys::Cloned cloned = SBX_TRY(
      sys::clone_joined(command, joined, [&] { copy_from_inside(path, pipe.writer.get()); }));
  const sys::Child reader(cloned.pid, std::move(cloned.pidfd));  // killed if there is too much
  pipe.writer.reset();
  return sys::read_fd(pipe.reader.get(), kMaxAccounts, path);
}

}  // namespace sbx::runtime
