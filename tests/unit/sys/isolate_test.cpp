#include "sys/isolate.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "sys/caps.hpp"
#include "sys/channel.hpp"
#include "sys/file.hpp"
#include "sys/probe_run.hpp"

using namespace sbx;
using namespace sbx::sys;

// Each stage changes the process for good, so each runs in one of its own. try_out needs descriptors 0 to 2 and the
// pipe it reports through, so that descriptor is found and kept.

namespace {

/// The descriptors that are open, except those in `without`.
std::vector<int> open_descriptors() {
  std::vector<int> open;
  for (int fd = 0; fd < 64; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) {
      open.push_back(fd);
    }
  }
  return open;
}

std::string target_of(int fd) {
  return read_link_at(AT_FDCWD, "/proc/self/fd/" + std::to_string(fd)).value_or("?");
}

}  // namespace

TEST_CASE("stage 1: descriptors are forgotten, but for those named") {
  const Pipe unwanted = make_pipe().value();
  const Trial trial = try_out([&]() -> Result<std::string> {
    std::vector<int> keep = open_descriptors();
    std::erase(keep, unwanted.reader.get());
    std::erase(keep, unwanted.writer.get());
    const Fd null = SBX_TRY(forget_descriptors(keep));
    const bool closed = ::fcntl(unwanted.writer.get(), F_GETFD) < 0 ||
                        target_of(unwanted.writer.get()) == "/dev/null";
    return std::string(closed ? "closed" : "open") + target_of(0) + target_of(1) +
           (open_descriptors().size() == keep.size() + 1 ? "" : " others");
  });
  CHECK(trial.text == "closed/dev/null/dev/null");
}

TEST_CASE("stage 2: limits go down and never up") {
  const Trial trial = try_out([]() -> Result<std::string> {
    limit_resources({100, std::uint64_t{1} << 30U});
    limit_resources({200, 0});
    rlimit files{};
    rlimit memory{};
    rlimit core{};
    (void)::getrlimit(RLIMIT_NOFILE, &files);
    (void)::getrlimit(RLIMIT_AS, &memory);
    (void)::getrlimit(RLIMIT_CORE, &core);
    return std::to_string(files.rlim_max) +
           (memory.rlim_max > (std::uint64_t{1} << 30U) ? " more" : " less") +
           (memory.rlim_max != RLIM_INFINITY ? " limited " : " ") + std::to_string(core.rlim_max);
  });
  CHECK(trial.text == "100 more limited 0");
}

TEST_CASE("stage 2: root becomes somebody else for good") {
  if (::geteuid() != 0) {
    CHECK(leave_root(65534));  // nothing to leave
    CHECK(::geteuid() != 65534);
    return;
  }
  const Trial trial = try_out([]() -> Result<std::string> {
    SBX_TRY(leave_root(65534));
    uid_t real = 0;
    uid_t effective = 0;
    uid_t saved = 0;
    (void)::getresuid(&real, &effective, &saved);
    return std::to_string(real) + " " + std::to_string(effective) + " " + std::to_string(saved) +
           " " + std::to_string(::getgroups(0, nullptr)) + (::setuid(0) == 0 ? " back" : " gone");
  });
  CHECK(trial.text == "65534 65534 65534 0 gone");
}

TEST_CASE("stage 4: no capabilities, no new ones, no looking in") {
  const Trial trial = try_out([]() -> Result<std::string> {
    SBX_TRY(drop_privileges(::getppid()));
    int signal = 0;
    (void)::prctl(PR_GET_PDEATHSIG, &signal);
    return std::to_string(own_capabilities()) + " " +
           std::to_string(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)) + " " +
           std::to_string(::prctl(PR_GET_DUMPABLE)) + " " + std::to_string(signal);
  });
  CHECK(trial.text == "0 1 0 9");
}

TEST_CASE("stage 4: a parent that has ended is noticed") {
  const Trial trial = try_out([]() -> Result<std::string> {
    SBX_TRY(drop_privileges(1 << 22));  // no such process
    return std::string("not noticed");
  });
  CHECK_FALSE(trial.passed);
  CHECK(trial.text.find("it has ended") != std::string::npos);
}
