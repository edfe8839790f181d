#pragma once

#include <poll.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "net/address_plan.hpp"

struct Slirp;

namespace sbx::net {

struct SlirpLibrary;

/// libslirp as this program uses it. One per process: libslirp has static state of its own. Pinned in memory, as
/// libslirp keeps its address.
class SlirpStack {
 public:
  struct Options {
    AddressPlan plan;
    bool ipv6 = true;
    bool host_loopback = false;  // the gateway address reaches the host's 127.0.0.1 and ::1
  };

  /// Makes the stack; it sends nothing before it is given a tap. kUnsupported: a libslirp that is too old, kInvalidArgument: an MTU out
  /// of range.
  static Result<std::unique_ptr<SlirpStack>> make(const Options& options);
  ~SlirpStack();
  SlirpStack(const SlirpStack&) = delete;
  SlirpStack& operator=(const SlirpStack&) = delete;
  SlirpStack(SlirpStack&&) = delete;
  SlirpStack& operator=(SlirpStack&&) = delete;

  /// Frames for the sandbox go to `tap` (borrowed) from now on.
  void attach(int tap) { tap_ = tap; }

  /// Appends the descriptors that libslirp waits for to `set` and says how many milliseconds it wants to sleep at most; -1: for ever.
  int fill(std::vector<pollfd>& set);
  /// What poll(2) found out about them: `set` as it came from fill.
  void dispatch(const std::vector<pollfd>& set);
  /// One Ethernet frame from the sandbox, already judged.
  void input(std::span<const std::uint8_t> frame);

 private:
  SlirpStack() = default;
  struct Callbacks;

  const SlirpLibrary* library_ = nullptr;
  Slirp* slirp_ = nullptr;
  std::vector<pollfd>* filling_ = nullptr;
  const std::vector<pollfd>* polled_ = nullptr;
  int tap_ = -1;
};

/// The version of the libslirp that runs ("4.7.0"), and whether it is one we take.
struct SlirpVersion {
  std::string text;
  bool supported = false;
  bool has_known_faults =
      false;  // published ones; frame_filter.hpp keeps what they need away from it
};
Result<SlirpVersion> slirp_version();

}  // namespace sbx::net
