#include "sys/user_namespace.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>

#include "sys/channel.hpp"
#include "sys/child.hpp"
#include "sys/file.hpp"
#include "sys/ns.hpp"
#include "sys/probe_run.hpp"
#include "sys/raw.hpp"

namespace sbx::sys {
namespace {

constexpr int kSeconds = 3600;

constexpr Namespaces kUserOnly{.user = true,
                               .mount = false,
                               .pid = false,
                               .ipc = false,
                               .uts = false,
                               .cgroup = false,
                               .net = false};

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

Result<void> run_in_user_namespace(int user_namespace,
                                   const std::function<Result<void>()>& action) {
  const Trial trial = try_out(
      [&]() -> Result<std::string> {
        if (::setns(user_namespace, CLONE_NEWUSER) != 0) {
          return fail(Error::system("join the user namespace", ""));
        }
        SBX_TRY(action());
        return std::string();
      },
      kSeconds);
  return trial.passed
             ? Result<void>()
             : fail(Error::make(ErrorCode::kSystem, "work in a user namespace", "", trial.text));
}

}  // namespace sbx::sys
