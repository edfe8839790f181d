#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "net/slirp.hpp"
#include "sys/channel.hpp"
#include "sys/fd.hpp"

namespace sbx::test {

// The internet of these tests: a network namespace in which the test process itself lives, with a dummy device that
// has these addresses, and servers on them. /etc/resolv.conf there names kServer4 and kServer6. Nothing leaves it.
inline constexpr const char* kServer4 = "192.0.2.1";
inline constexpr const char* kServer6 = "2001:db8::1";
inline constexpr unsigned short kEchoPort = 7000;  // TCP and UDP on the addresses above
inline constexpr unsigned short kSecretPort =
    7001;  // TCP echo on 127.0.0.1 and ::1 only: the host's own services
inline constexpr unsigned short kUrgentPort =
    7002;  // TCP: answers how many bytes came and whether a mark for urgent data was seen
inline constexpr const char* kKnownName = "sbx.example";
inline constexpr const char* kKnownAddress = "192.0.2.77";

/// Moves the calling process (one thread) into the world and starts its servers, which end with it. Exits on failure.
void enter_world();

/// One sandbox as far as the network goes: a user and network namespace with a tap in it, and a network process.
class Guest {
 public:
  explicit Guest(const net::SlirpStack::Options& options = {});
  ~Guest();
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  /// Runs `action` in a process of the guest, and returns what it returns: "" or what is wrong.
  std::string run(const std::function<std::string()>& action) const;

  [[nodiscard]] pid_t net_pid() const { return net_; }
  /// Hangs up the descriptor whose end tells the network process to leave.
  void hang_up() { death_.ours.reset(); }
  /// Waits for the network process: true if it ended within `seconds`.
  bool net_ended(double seconds);
  /// As waitpid(2) gave it, after net_ended.
  [[nodiscard]] int net_status() const { return status_; }

 private:
  void start_net(const net::SlirpStack::Options& options, sys::Fd channel);
  void start_guest(const net::SlirpStack::Options& options, sys::Fd channel);

  sys::ChannelPair death_;
  sys::Fd guest_pidfd_;
  pid_t guest_ = 0;
  pid_t net_ = 0;
  int status_ = 0;
};

}  // namespace sbx::test
