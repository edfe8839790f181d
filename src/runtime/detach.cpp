#include "runtime/detach.hpp"

#include <unistd.h>

#include <array>

#include "base/error_json.hpp"
#include "sys/channel.hpp"
#include "sys/file.hpp"
#include "sys/ns.hpp"
#include "sys/raw.hpp"

namespace sbx::runtime {
namespace {

// An error with a path or two; what is longer is cut by the kernel, and then said to be unreadable.
constexpr std::size_t kMaxAnswer = std::size_t{64} << 10U;

/// No failure here keeps a container from running.
void leave_session() {
  (void)sys::raw::new_session();
  (void)sys::raw::chdir("/");
  if (const Result<sys::Fd> null = sys::open_at(AT_FDCWD, "/dev/null", O_RDWR)) {
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      (void)sys::raw::dup2(null->get(), standard);
    }
  }
}

[[noreturn]] void run_detached(sys::Fd channel,
                               const std::function<void(const DetachedReady&)>& work) {
  leave_session();
  work([&channel](const Result<void>& result) {
    const std::string answer = result ? "" : dump_json(error_to_json(result.error()));
    if (channel) {
      // A message of no bytes could not be told from the end.
      const std::string message = answer.empty() ? "{}" : answer;
      (void)sys::raw::send(channel.get(), message.data(), message.size(), -1);
      channel.reset();
    }
  });
  sys::raw::exit(0);
}

}  // namespace

Result<void> detach(const std::function<void(const DetachedReady&)>& work) {
  sys::ChannelPair channel = SBX_TRY(sys::make_channel());
  const sys::Cloned process = SBX_TRY(sys::fork_role());
  if (process.pid == 0) {
    channel.ours.reset();
    run_detached(std::move(channel.theirs), work);
  }
  channel.theirs.reset();
  std::array<char, kMaxAnswer> answer{};
  const std::size_t size = SBX_TRY(
      sys::read_available(channel.ours.get(), std::as_writable_bytes(std::span(answer)), "answer"));
  if (size == 0) {
    return fail(Error::make(ErrorCode::kSystem, "run in the background", "",
                            "the supervisor of the container was killed"));
  }
  const Json object = SBX_TRY(parse_json(std::string_view(answer.data(), size), "answer"));
  return object.empty() ? Result<void>() : fail(SBX_TRY(error_from_json(object)));
}

}  // namespace sbx::runtime
