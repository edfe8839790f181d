#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <optional>
#include <thread>

#include "base/log.hpp"
#include "runtime/roles.hpp"
#include "sys/channel.hpp"
#include "sys/ns.hpp"
#include "sys/raw.hpp"
#include "sys/signal_fd.hpp"
#include "sys/text_pages.hpp"
#include "sys/tty.hpp"

namespace sbx::runtime {
namespace {

constexpr int kExitFailure = 1;

/// When the supervisor is gone the sandbox goes too, and the user's terminal is usable again. The unmount that follows ends
/// the serving; if something holds the mount the process ends anyway.
[[noreturn]] void watch_supervisor(int lifeline, int init,
                                   std::optional<sys::RawTerminal>& terminal) {
  constexpr int kGraceMs = 500;
  pollfd entry{lifeline, POLLIN, 0};
  if (::poll(&entry, 1, sys::kSettledMs) == 0) {
    sys::drop_text_pages();
  }
  while (::poll(&entry, 1, -1) < 0) {
  }
  (void)sys::signal_process(init, SIGKILL);  // gone already: all the better
  if (terminal) {
    terminal->restore();
  }
  (void)::poll(nullptr, 0, kGraceMs);
  sys::raw::exit(kExitFailure);
}

Result<void> serve(FsRole& role) {
  std::optional<sys::RawTerminal> terminal;
  if (role.terminal) {
    terminal.emplace(SBX_TRY(sys::RawTerminal::remember(STDIN_FILENO)));
  }
  // We stay in the host's user namespace, as the user: stat(2) must show the host's owners as they are. Files that we
  // make belong to the invoking user, so no capability is needed (root has some).
  (void)sys::raw::set_capabilities(0);  // giving up cannot fail
  (void)sys::raw::set_no_new_privs();
  if (!role.file_system) {
    watch_supervisor(role.lifeline, role.init, terminal);
  }
  // The watcher lives as long as the process and ends it.
  std::thread([lifeline = role.lifeline, init = role.init, &terminal] {
    watch_supervisor(lifeline, init, terminal);
  }).detach();
  if (Result<void> prepared = role.file_system->prepare(); !prepared) {
    // The supervisor only sees that we ended; other failures follow from the sandbox's end, which it explains itself.
    log::warn("{}", prepared.error().message());
    return prepared;
  }
  // Nothing is left to do between the mount and its first answer: the sandbox waits for it.
  sys::Fd device = SBX_TRY(sys::receive_fd(role.channel, "the root file system"));
  SBX_TRY(role.file_system->serve(std::move(device)));
  if (role.tell_requests) {
    std::fputs(role.file_system->requests().c_str(), stderr);
  }
  return {};
}

}  // namespace

void run_fs_role(FsRole role) {
  const char* name = role.file_system ? "sbx: fs" : "sbx: watch";
  role.title.overwrite((std::string(name) + " " + role.name).c_str());
  (void)sys::raw::set_process_name(name);
  sys::reset_signals_for_role();
  const Result<void> served = serve(role);
  if (!served) {
    log::debug("file system process: {}", served.error().message());
  }
  // Not exit(): destructors and exit handlers of the supervisor's image of memory are not ours to run.
  sys::raw::exit(served ? 0 : kExitFailure);
}

}  // namespace sbx::runtime
