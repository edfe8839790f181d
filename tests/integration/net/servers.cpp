#include "servers.hpp"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "world.hpp"

namespace sbx::test {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Address parse(const char* text, std::uint16_t port) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof *v4;
  } else if (::inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof *v6;
  }
  return address;
}

sys::Fd open_socket(const char* address, int type) {
  const int family = parse(address, 1).storage.ss_family;
  sys::Fd fd(::socket(family, type | SOCK_CLOEXEC, 0));
  const timeval limit{5, 0};
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return fd;
}

std::string failure(const std::string& what) { return what + ": " + std::strerror(errno); }

char pattern(std::size_t at) { return static_cast<char>((at * 31 + (at >> 10U)) & 0xffU); }

/// The question's end in a DNS message, 0 if there is none.
std::size_t question_end(const std::uint8_t* message, std::size_t size) {
  std::size_t at = 12;
  while (at < size && message[at] != 0) {
    at += message[at] + std::size_t{1};
  }
  return at + 5 <= size ? at + 5 : 0;
}

std::string question_name(const std::uint8_t* message, std::size_t end) {
  std::string name;
  for (std::size_t at = 12; at < end && message[at] != 0; at += message[at] + std::size_t{1}) {
    name += name.empty() ? "" : ".";
    name.append(reinterpret_cast<const char*>(message + at + 1), message[at]);
  }
  return name;
}

std::vector<std::uint8_t> encode_question(const std::string& name) {
  std::vector<std::uint8_t> message{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  std::size_t start = 0;
  while (start < name.size()) {
    const std::size_t dot = std::min(name.find('.', start), name.size());
    message.push_back(static_cast<std::uint8_t>(dot - start));
    message.insert(message.end(), name.begin() + static_cast<std::ptrdiff_t>(start),
                   name.begin() + static_cast<std::ptrdiff_t>(dot));
    start = dot + 1;
  }
  message.insert(message.end(), {0, 0, 1, 0, 1});
  return message;
}

void answer_dns(int fd) {
  std::array<std::uint8_t, 512> message{};
  sockaddr_storage from{};
  socklen_t from_size = sizeof from;
  const ssize_t got = ::recvfrom(fd, message.data(), message.size() - 16, 0,
                                 reinterpret_cast<sockaddr*>(&from), &from_size);
  const std::size_t end =
      got > 12 ? question_end(message.data(), static_cast<std::size_t>(got)) : 0;
  if (end == 0) {
    return;
  }
  std::size_t size = end;
  message[2] = 0x85;
  if (question_name(message.data(), end) == kKnownName) {
    const std::array<std::uint8_t, 12> answer{0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4};
    std::memcpy(message.data() + size, answer.data(), answer.size());
    size += answer.size();
    (void)::inet_pton(AF_INET, kKnownAddress, message.data() + size);
    size += 4;
    message[7] = 1;
    message[3] = 0x80;
  } else {
    message[3] = 0x83;
  }
  (void)::sendto(fd, message.data(), size, 0, reinterpret_cast<sockaddr*>(&from), from_size);
}

void echo_datagram(int fd) {
  static std::array<char, 65536> buffer;
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  const ssize_t got =
      ::recvfrom(fd, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (got >= 0) {
    (void)::sendto(fd, buffer.data(), static_cast<std::size_t>(got), 0,
                   reinterpret_cast<sockaddr*>(&from), size);
  }
}

}  // namespace

void Servers::open(const char* address, std::uint16_t port, int type, Kind kind) {
  Socket socket{open_socket(address, type), kind};
  const int one = 1;
  (void)::setsockopt(socket.fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  const Address at = parse(address, port);
  if (::bind(socket.fd.get(), at.get(), at.size) != 0 ||
      (type == SOCK_STREAM && ::listen(socket.fd.get(), 64) != 0)) {
    std::perror(address);
    std::_Exit(1);
  }
  sockets_.push_back(std::move(socket));
}

Servers Servers::listen() {
  Servers servers;
  for (const char* address : {kServer4, kServer6}) {
    servers.open(address, kEchoPort, SOCK_STREAM, Kind::kListener);
    servers.open(address, kEchoPort, SOCK_DGRAM, Kind::kUdpEcho);
    servers.open(address, kUrgentPort, SOCK_STREAM, Kind::kUrgentListener);
    servers.open(address, 53, SOCK_DGRAM, Kind::kDns);
  }
  for (const char* address : {"127.0.0.1", "::1"}) {
    servers.open(address, kSecretPort, SOCK_STREAM, Kind::kListener);
    servers.open(address, kSecretPort, SOCK_DGRAM, Kind::kUdpEcho);
  }
  return servers;
}

void Servers::serve() {
  for (;;) {
    std::vector<pollfd> set;
    for (const Socket& socket : sockets_) {
      set.push_back({socket.fd.get(), static_cast<short>(POLLIN | POLLPRI), 0});
    }
    (void)::poll(set.data(), set.size(), -1);
    std::vector<std::size_t> closed;
    for (std::size_t i = 0; i < set.size(); ++i) {
      if (set[i].revents != 0 && !attend(sockets_[i])) {
        closed.push_back(i);
      }
    }
    for (auto i = closed.rbegin(); i != closed.rend(); ++i) {
      sockets_.erase(sockets_.begin() + static_cast<std::ptrdiff_t>(*i));
    }
  }
}

bool Servers::attend(Socket& socket) {
  switch (socket.kind) {
    case Kind::kListener:
    case Kind::kUrgentListener: {
      const Kind kind = socket.kind == Kind::kListener ? Kind::kEcho : Kind::kUrgent;
      sys::Fd connection(::accept4(socket.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (connection) {
        sockets_.push_back({std::move(connection), kind});
      }
      return true;
    }
    case Kind::kUdpEcho:
      echo_datagram(socket.fd.get());
      return true;
    case Kind::kDns:
      answer_dns(socket.fd.get());
      return true;
    case Kind::kEcho:
      return echo(socket.fd.get());
    case Kind::kUrgent:
      return count(socket);
  }
  return false;
}

bool Servers::echo(int fd) {
  static std::array<char, 1 << 16> buffer;
  const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
  for (ssize_t sent = 0; sent < got;) {
    const ssize_t now =
        ::send(fd, buffer.data() + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
    if (now <= 0) {
      return false;
    }
    sent += now;
  }
  return got > 0;
}

bool Servers::count(Socket& socket) {
  char urgent = 0;
  if (::recv(socket.fd.get(), &urgent, 1, MSG_OOB | MSG_DONTWAIT) == 1) {
    ++socket.urgent_bytes;
  }
  std::array<char, 256> buffer{};
  const ssize_t got = ::recv(socket.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) {
    return errno == EAGAIN;
  }
  socket.bytes += static_cast<std::size_t>(got);
  if (got == 0) {
    const std::string report =
        std::to_string(socket.bytes) + "/" + std::to_string(socket.urgent_bytes);
    (void)::send(socket.fd.get(), report.data(), report.size(), MSG_NOSIGNAL);
    return false;
  }
  return true;
}

std::string tcp_echo(const char* address, std::uint16_t port, std::size_t bytes) {
  const sys::Fd fd = open_socket(address, SOCK_STREAM);
  const Address to = parse(address, port);
  if (::connect(fd.get(), to.get(), to.size) != 0) {
    return failure("connect");
  }
  std::vector<char> chunk(std::size_t{64} << 10U);
  for (std::size_t sent = 0, back = 0; back < bytes;) {
    // A window of 256 KiB, so that neither side's buffers fill up.
    while (sent < bytes && sent - back < (std::size_t{256} << 10U)) {
      const std::size_t size = std::min(chunk.size(), bytes - sent);
      for (std::size_t i = 0; i < size; ++i) {
        chunk[i] = pattern(sent + i);
      }
      const ssize_t now = ::send(fd.get(), chunk.data(), size, MSG_NOSIGNAL);
      if (now <= 0) {
        return failure("send");
      }
      sent += static_cast<std::size_t>(now);
    }
    const ssize_t got = ::recv(fd.get(), chunk.data(), chunk.size(), 0);
    if (got <= 0) {
      return failure("receive after " + std::to_string(back));
    }
    for (ssize_t i = 0; i < got; ++i, ++back) {
      if (chunk[static_cast<std::size_t>(i)] != pattern(back)) {
        return "wrong byte at " + std::to_string(back);
      }
    }
  }
  return {};
}

std::string tcp_unreachable(const char* address, std::uint16_t port) {
  const sys::Fd fd = open_socket(address, SOCK_STREAM);
  const timeval limit{1, 0};
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const Address to = parse(address, port);
  return ::connect(fd.get(), to.get(), to.size) == 0 ? std::string(address) + " is reachable" : "";
}

std::string udp_echo(const char* address, std::uint16_t port, std::size_t bytes) {
  const sys::Fd fd = open_socket(address, SOCK_DGRAM);
  const Address to = parse(address, port);
  if (::connect(fd.get(), to.get(), to.size) != 0) {
    return failure("connect");
  }
  std::string sent(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) {
    sent[i] = pattern(i);
  }
  if (::send(fd.get(), sent.data(), sent.size(), 0) != static_cast<ssize_t>(bytes)) {
    return failure("send");
  }
  std::string got(bytes + 1, '\0');
  const ssize_t size = ::recv(fd.get(), got.data(), got.size(), 0);
  if (size < 0) {
    return failure("receive");
  }
  got.resize(static_cast<std::size_t>(size));
  return got == sent ? "" : "another datagram came back";
}

std::string dns_lookup(const char* server, const std::string& name, const std::string& wanted) {
  const sys::Fd fd = open_socket(server, SOCK_DGRAM);
  const Address to = parse(server, 53);
  const std::vector<std::uint8_t> question = encode_question(name);
  if (::connect(fd.get(), to.get(), to.size) != 0 ||
      ::send(fd.get(), question.data(), question.size(), 0) < 0) {
    return failure("ask");
  }
  std::array<std::uint8_t, 512> answer{};
  const ssize_t got = ::recv(fd.get(), answer.data(), answer.size(), 0);
  if (got < 12) {
    return failure("answer");
  }
  if (answer[7] == 0) {
    return "no such name";
  }
  std::array<char, INET_ADDRSTRLEN> text{};
  (void)::inet_ntop(AF_INET, answer.data() + got - 4, text.data(), text.size());
  return wanted == text.data() ? "" : std::string("it is ") + text.data();
}

std::string crafted_udp(const char* address, std::uint16_t port, int milliseconds) {
  constexpr std::uint16_t kOwnPort = 40000;
  std::vector<std::uint8_t> frame{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 0};
  const std::vector<std::uint8_t> ip{0x45, 0,           0, 32, 0,  1, 0, 0,
                                     64,   IPPROTO_UDP, 0, 0,  10, 0, 2, 100};
  frame.insert(frame.end(), ip.begin(), ip.end());
  frame.resize(frame.size() + 4);
  (void)::inet_pton(AF_INET, address, frame.data() + 30);
  std::uint32_t sum = 0;
  for (std::size_t at = 14; at < 34; at += 2) {
    sum += static_cast<std::uint32_t>(frame[at] << 8U | frame[at + 1]);
  }
  sum = ~((sum & 0xffffU) + (sum >> 16U)) & 0xffffU;
  frame[24] = static_cast<std::uint8_t>(sum >> 8U);
  frame[25] = static_cast<std::uint8_t>(sum);
  const std::vector<std::uint8_t> udp{kOwnPort >> 8U,
                                      kOwnPort & 0xffU,
                                      static_cast<std::uint8_t>(port >> 8U),
                                      static_cast<std::uint8_t>(port),
                                      0,
                                      12,
                                      0,
                                      0,
                                      'p',
                                      'i',
                                      'n',
                                      'g'};
  frame.insert(frame.end(), udp.begin(), udp.end());

  const sys::Fd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_IP)));
  sockaddr_ll device{};
  device.sll_family = AF_PACKET;
  device.sll_protocol = htons(ETH_P_IP);
  device.sll_ifindex = static_cast<int>(::if_nametoindex("eth0"));
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&device), sizeof device) != 0 ||
      ::send(fd.get(), frame.data(), frame.size(), 0) < 0) {
    return failure("send frame");
  }
  std::array<std::uint8_t, 2048> got{};
  pollfd wait{fd.get(), POLLIN, 0};
  while (::poll(&wait, 1, milliseconds) > 0) {
    const ssize_t size = ::recv(fd.get(), got.data(), got.size(), 0);
    const bool answer =
        size >= 42 && got[23] == IPPROTO_UDP && (got[36] << 8U | got[37]) == kOwnPort;
    if (answer) {
      return "answered";
    }
  }
  return "silence";
}

std::string tcp_urgent(const char* address, std::uint16_t port) {
  const sys::Fd fd = open_socket(address, SOCK_STREAM);
  const Address to = parse(address, port);
  if (::connect(fd.get(), to.get(), to.size) != 0) {
    return failure("connect");
  }
  if (::send(fd.get(), "before", 6, 0) != 6 || ::send(fd.get(), "!", 1, MSG_OOB) != 1 ||
      ::send(fd.get(), "after", 5, 0) != 5 || ::shutdown(fd.get(), SHUT_WR) != 0) {
    return failure("send");
  }
  std::array<char, 64> report{};
  const ssize_t got = ::recv(fd.get(), report.data(), report.size() - 1, 0);
  return got > 0 && std::string(report.data()) == "12/0"
             ? ""
             : std::string("bytes/urgent: ") + report.data();
}

}  // namespace sbx::test
