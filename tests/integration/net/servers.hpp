#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sys/fd.hpp"

namespace sbx::test {

/// The servers of the tests' internet: TCP and UDP echo, a DNS server that knows one name, one service on loopback.
class Servers {
 public:
  static Servers listen();
  [[noreturn]] void serve();

 private:
  enum class Kind { kListener, kUrgentListener, kUdpEcho, kDns, kEcho, kUrgent };
  struct Socket {
    sys::Fd fd;
    Kind kind;
    std::size_t urgent_bytes = 0;
    std::size_t bytes = 0;
  };
  void open(const char* address, std::uint16_t port, int type, Kind kind);
  bool attend(Socket& socket);
  static bool echo(int fd);
  static bool count(Socket& socket);

  std::vector<Socket> sockets_;
};

// Clients, run inside a guest. Each returns "" or what went wrong.

/// Sends `bytes` of a pattern over TCP and wants them back.
std::string tcp_echo(const char* address, std::uint16_t port, std::size_t bytes);
/// Succeeds if no connection comes about within a second.
std::string tcp_unreachable(const char* address, std::uint16_t port);
std::string udp_echo(const char* address, std::uint16_t port, std::size_t bytes);
/// Asks `server` for the address of `name`; "" if it is `wanted`.
std::string dns_lookup(const char* server, const std::string& name, const std::string& wanted);
/// Sends a UDP datagram to `address` in a frame made by hand, as root of a sandbox can, past the guest's own routing.
/// "answered" or "silence" for `milliseconds`.
std::string crafted_udp(const char* address, std::uint16_t port, int milliseconds);
/// Sends a byte of urgent data among others and wants all of them inline.
std::string tcp_urgent(const char* address, std::uint16_t port);

}  // namespace sbx::test
