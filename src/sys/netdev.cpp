#include "sys/netdev.hpp"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

// Everything is asked for in one rtnetlink message train: one send, one receive, against two system calls
// per setting with ioctls (which cannot set routes of IPv6 or "nodad" as well). See rtnetlink(7).

namespace sbx::sys {
namespace {

constexpr std::uint32_t kLoopbackIndex = 1;  // lo is the first device of every network namespace
constexpr std::size_t kTrainBytes = 768;     // all messages below need 420

/// Messages for the kernel, one behind the other, in a buffer on the stack.
class MessageTrain {
 public:
  /// Starts a message; `Body` is its fixed part (ifinfomsg, ifaddrmsg, rtmsg).
  template <class Body>
  void begin(std::uint16_t type, std::uint16_t flags, const Body& body) {
    start_ = end_;
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    header.nlmsg_seq = ++sequence_;
    append(&header, sizeof header);
    append(&body, sizeof body);
    finish();
  }

  void attribute(std::uint16_t type, const void* data, std::size_t size) {
    const rtattr header{static_cast<std::uint16_t>(sizeof(rtattr) + size), type};
    append(&header, sizeof header);
    append(data, size);
    finish();
  }

  /// Opens an attribute that holds attributes; close_nest with the value returned.
  std::size_t open_nest(std::uint16_t type) {
    const std::size_t at = end_;
    attribute(type, nullptr, 0);
    return at;
  }
  void close_nest(std::size_t at) {
    const auto size = static_cast<std::uint16_t>(end_ - at);
    std::memcpy(buffer_.data() + at, &size, sizeof size);
  }

  /// The kernel answers every failing message, but a success only where it is asked to: the last one.
  void ask_for_answer() {
    nlmsghdr header{};
    std::memcpy(&header, buffer_.data() + start_, sizeof header);
    header.nlmsg_flags |= NLM_F_ACK;
    std::memcpy(buffer_.data() + start_, &header, sizeof header);
  }

  /// The message begun last may fail for want of IPv6.
  void mark_optional() { optional_ |= 1U << sequence_; }
  [[nodiscard]] bool is_optional(std::uint32_t sequence) const {
    return sequence < 32 && (optional_ & (1U << sequence)) != 0;
  }

  [[nodiscard]] const std::byte* data() const { return buffer_.data(); }
  [[nodiscard]] std::size_t size() const { return end_; }
  [[nodiscard]] std::uint32_t last_sequence() const { return sequence_; }

 private:
  void append(const void* data, std::size_t size) {
    const std::size_t padded = (size + NLMSG_ALIGNTO - 1) & ~std::size_t{NLMSG_ALIGNTO - 1};
    SBX_ASSERT(end_ + padded <= buffer_.size());
    if (size > 0) {
      std::memcpy(buffer_.data() + end_, data, size);
    }
    end_ += padded;
  }
  void finish() {
    const auto size = static_cast<std::uint32_t>(end_ - start_);
    std::memcpy(buffer_.data() + start_, &size, sizeof size);  // nlmsg_len comes first in nlmsghdr
  }

  alignas(NLMSG_ALIGNTO) std::array<std::byte, kTrainBytes> buffer_{};
  std::size_t start_ = 0;
  std::size_t end_ = 0;
  std::uint32_t sequence_ = 0;
  std::uint32_t optional_ = 0;  // bit per sequence number
};

void add_link_up(MessageTrain& train, std::uint32_t index) {
  ifinfomsg body{};
  body.ifi_index = static_cast<int>(index);
  body.ifi_flags = IFF_UP;
  body.ifi_change = IFF_UP;
  train.begin(RTM_NEWLINK, 0, body);
}

void add_mtu(MessageTrain& train, std::uint32_t index, std::uint32_t mtu) {
  ifinfomsg body{};
  body.ifi_index = static_cast<int>(index);
  train.begin(RTM_NEWLINK, 0, body);
  train.attribute(IFLA_MTU, &mtu, sizeof mtu);
}

// Without a link-local address the kernel sends no router solicitations, so no router's answer adds a second
// address and a route that expires. In a message of its own before the one that brings the device up: within
// one message the kernel looks at the flags first.
void add_no_link_local(MessageTrain& train, std::uint32_t index) {
  ifinfomsg body{};
  body.ifi_index = static_cast<int>(index);
  train.begin(RTM_NEWLINK, 0, body);
  const std::size_t families = train.open_nest(IFLA_AF_SPEC);
  const std::size_t inet6 = train.open_nest(AF_INET6);
  const std::uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
  train.attribute(IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
  train.close_nest(inet6);
  train.close_nest(families);
}

template <std::size_t N>
void add_address(MessageTrain& train, std::uint32_t index,
                 const std::array<std::uint8_t, N>& address, std::uint8_t prefix_length) {
  ifaddrmsg body{};
  body.ifa_family = N == 4 ? AF_INET : AF_INET6;
  body.ifa_prefixlen = prefix_length;
  body.ifa_index = index;
  // Duplicate address detection would keep the address unusable for a second.
  body.ifa_flags = N == 4 ? 0 : IFA_F_NODAD;
  train.begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, body);
  train.attribute(IFA_LOCAL, address.data(), N);
  train.attribute(IFA_ADDRESS, address.data(), N);
}

template <std::size_t N>
void add_default_route(MessageTrain& train, std::uint32_t index,
                       const std::array<std::uint8_t, N>& gateway) {
  rtmsg body{};
  body.rtm_family = N == 4 ? AF_INET : AF_INET6;
  body.rtm_table = RT_TABLE_MAIN;
  body.rtm_protocol = RTPROT_BOOT;
  body.rtm_scope = RT_SCOPE_UNIVERSE;
  body.rtm_type = RTN_UNICAST;
  train.begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, body);
  train.attribute(RTA_GATEWAY, gateway.data(), N);
  train.attribute(RTA_OIF, &index, sizeof index);
}

/// What the kernel says where IPv6 is missing or switched off (EACCES: disable_ipv6), and, for the route, the
/// missing address that follows from it.
bool means_no_ipv6(int error) {
  return error == EOPNOTSUPP || error == EAFNOSUPPORT || error == EACCES || error == ENODEV ||
         error == ENETUNREACH || error == EHOSTUNREACH;
}

/// The first error the kernel reports, or success once the last message is acknowledged.
FsResult<void> read_answers(int netlink, const MessageTrain& train) {
  for (;;) {
    alignas(NLMSG_ALIGNTO) std::array<std::byte, 1024> buffer{};
    const ssize_t got = ::recv(netlink, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < static_cast<ssize_t>(sizeof(nlmsghdr) + sizeof(nlmsgerr))) {
      return fail(got < 0 ? Errno::last() : Errno(EPROTO));
    }
    nlmsghdr header{};
    int error = 0;  // the first member of nlmsgerr
    std::memcpy(&header, buffer.data(), sizeof header);
    std::memcpy(&error, buffer.data() + sizeof header, sizeof error);
    if (header.nlmsg_type != NLMSG_ERROR) {
      return fail(Errno(EPROTO));
    }
    if (error != 0 && !(train.is_optional(header.nlmsg_seq) && means_no_ipv6(-error))) {
      return fail(Errno(-error));
    }
    if (header.nlmsg_seq == train.last_sequence()) {
      return {};
    }
  }
}

FsResult<void> exchange(int netlink, const MessageTrain& train) {
  if (::send(netlink, train.data(), train.size(), 0) != static_cast<ssize_t>(train.size())) {
    return fail(Errno::last());
  }
  return read_answers(netlink, train);
}

FsResult<Fd> open_netlink() {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) {
    return fail(Errno::last());
  }
  return fd;
}

FsResult<Fd> open_tap(const std::array<char, IFNAMSIZ>& name) {
  Fd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) {
    return fail(Errno::last());
  }
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size() - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (::ioctl(fd.get(), TUNSETIFF, &request) < 0) {
    return fail(Errno::last());
  }
  return fd;
}

FsResult<std::uint32_t> index_of(int any_socket, const std::array<char, IFNAMSIZ>& name) {
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size() - 1);
  if (::ioctl(any_socket, SIOCGIFINDEX, &request) < 0) {
    return fail(Errno::last());
  }
  return static_cast<std::uint32_t>(request.ifr_ifindex);
}

FsResult<void> configure(int netlink, std::uint32_t index, const TapConfig& config) {
  MessageTrain train;
  add_link_up(train, kLoopbackIndex);
  add_mtu(train, index, config.mtu);
  add_address(train, index, config.address, config.prefix_length);
  if (config.has_ipv6) {
    add_no_link_local(train, index);
    train.mark_optional();
    add_address(train, index, config.ipv6.address, config.ipv6.prefix_length);
    train.mark_optional();
  }
  add_link_up(train, index);
  if (config.has_ipv6) {
    add_default_route(train, index, config.ipv6.gateway);
    train.mark_optional();
  }
  add_default_route(train, index, config.gateway);
  train.ask_for_answer();
  return exchange(netlink, train);
}

}  // namespace

FsResult<void> bring_up_loopback() noexcept {
  const Fd netlink = SBX_TRY(open_netlink());
  MessageTrain train;
  add_link_up(train, kLoopbackIndex);
  train.ask_for_answer();
  return exchange(netlink.get(), train);
}

FsResult<Fd> make_tap(const TapConfig& config) noexcept {
  Fd tap = SBX_TRY(open_tap(config.name));
  const Fd netlink = SBX_TRY(open_netlink());
  const std::uint32_t index = SBX_TRY(index_of(netlink.get(), config.name));
  SBX_TRY(configure(netlink.get(), index, config));
  return tap;
}

}  // namespace sbx::sys
