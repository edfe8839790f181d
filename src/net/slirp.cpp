#include "net/slirp.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "net/confinement.hpp"
#include "net/frame_filter.hpp"
#include "sys/text_pages.hpp"

namespace sbx::net {
namespace {

// Frames read before the sockets are looked at again: enough to make poll(2) rare under load (2 MiB at the full
// MTU), few enough that a sandbox that only sends does not starve its own receiving.
constexpr int kFrameBudget = 32;
constexpr std::size_t kFrameBytes = kMtu + 18;  // Ethernet header and a VLAN tag

constexpr short kGone = POLLERR | POLLHUP | POLLNVAL;

/// Of two timeouts for poll(2), where a negative one is for ever.
int shorter(int a, int b) { return a < 0 ? b : std::min(a, b); }

}  // namespace

Result<SlirpServer> SlirpServer::prepare(const SlirpRequest& request) {
  // Before confinement: libslirp and GLib read the environment and /dev/urandom when they start.
  std::unique_ptr<SlirpStack> stack = SBX_TRY(SlirpStack::make(request.stack));
  SBX_TRY(confine(request));
  return SlirpServer(std::move(stack), request);
}

Result<void> SlirpServer::serve(sys::Fd tap) {
  frame_.resize(kFrameBytes);
  stack_->attach(tap.get());
  bool settled = false;
  std::vector<pollfd> fixed{{tap.get(), POLLIN, 0}};
  for (const int fd : death_fds_) {
    fixed.push_back({fd, POLLIN, 0});
  }
  std::vector<pollfd> set;
  for (;;) {
    set = fixed;
    const int timeout = stack_->fill(set);
    int events =
        ::poll(set.data(), set.size(), settled ? timeout : shorter(timeout, sys::kSettledMs));
    if (events == 0 && !settled) {
      settled = true;
      sys::drop_text_pages();  // of what started and confined this process
      events = ::poll(set.data(), set.size(), timeout);
    }
    if (events < 0) {
      if (errno == EINTR) {
        continue;
      }
      return fail(Error::system("wait for network traffic", ""));
    }
    const auto death_end = set.begin() + static_cast<std::ptrdiff_t>(fixed.size());
    if (std::any_of(set.begin() + 1, death_end,
                    [](const pollfd& entry) { return entry.revents != 0; })) {
      return {};
    }
    stack_->dispatch(set);
    const short tap_events = set.front().revents;
    if ((tap_events & kGone) != 0 || ((tap_events & POLLIN) != 0 && !read_frames(tap.get()))) {
      return {};
    }
  }
}

/// False if the tap is gone.
bool SlirpServer::read_frames(int tap) {
  for (int left = kFrameBudget; left > 0; --left) {
    const ssize_t got = ::read(tap, frame_.data(), frame_.size());
    if (got < 0) {
      return errno == EAGAIN || errno == EINTR;
    }
    const std::span<std::uint8_t> frame(frame_.data(), static_cast<std::size_t>(got));
    if (judge_frame(frame, plan_) == FrameVerdict::kPass) {
      stack_->input(frame);
    }
  }
  return true;
}

Result<void> serve(const SlirpRequest& request, sys::Fd tap) {
  SlirpRequest with_tap = request;
  with_tap.keep_fds.push_back(tap.get());
  SlirpServer server = SBX_TRY(SlirpServer::prepare(with_tap));
  return server.serve(std::move(tap));
}

}  // namespace sbx::net
