#include "net/slirp_stack.hpp"

#include <slirp/libslirp.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include "base/log.hpp"
#include "net/slirp_library.hpp"

namespace sbx::net {
namespace {

// Where all we configure is there (disable_dhcp: configuration version 4), and which is what this is tested with.
constexpr std::array<unsigned, 3> kLeastVersion{4, 7, 0};
// Urgent TCP data read memory out of bounds before (CVE-2026-9539).
constexpr std::array<unsigned, 3> kMendedVersion{4, 9, 2};

// slirp_pollfds_fill cuts every time-out to a second; this value says that it has no timer of its own running.
constexpr std::uint32_t kNoTimer = 1000;

struct BitPair {
  int slirp;
  short poll;
};
constexpr std::array<BitPair, 5> kBits{{{SLIRP_POLL_IN, POLLIN},
                                        {SLIRP_POLL_OUT, POLLOUT},
                                        {SLIRP_POLL_PRI, POLLPRI},
                                        {SLIRP_POLL_ERR, POLLERR},
                                        {SLIRP_POLL_HUP, POLLHUP}}};

short to_poll(int events) {
  short bits = 0;
  for (const BitPair& pair : kBits) {
    bits = static_cast<short>((events & pair.slirp) != 0 ? bits | pair.poll : bits);
  }
  return bits;
}

int from_poll(short events) {
  int bits = 0;
  for (const BitPair& pair : kBits) {
    bits = (events & pair.poll) != 0 ? bits | pair.slirp : bits;
  }
  return bits;
}

in_addr to_in_addr(const Ipv4& address) {
  in_addr out{};
  std::memcpy(&out, address.data(), sizeof out);
  return out;
}

in6_addr to_in6_addr(const Ipv6& address) {
  in6_addr out{};
  std::memcpy(&out, address.data(), sizeof out);
  return out;
}

in_addr mask_of(unsigned prefix_length) {
  return {htonl(prefix_length == 0 ? 0 : ~0U << (32U - prefix_length))};
}

// No TFTP root, no boot file, no host name, no search list: what is not set is not served. DNS stays.
SlirpConfig configuration(const SlirpStack::Options& options) {
  const AddressPlan& plan = options.plan;
  SlirpConfig config{};
  config.version = 4;
  config.in_enabled = true;
  config.vnetwork = to_in_addr(plan.network);
  config.vnetmask = mask_of(plan.prefix_length);
  config.vhost = to_in_addr(plan.gateway);
  config.vnameserver = to_in_addr(plan.dns);
  config.vdhcp_start = to_in_addr(plan.guest);
  config.in6_enabled = options.ipv6;
  config.vprefix_addr6 = to_in6_addr(plan.network6);
  config.vprefix_len = plan.prefix_length6;
  config.vhost6 = to_in6_addr(plan.gateway6);
  config.vnameserver6 = to_in6_addr(plan.dns6);
  config.if_mtu = plan.mtu;
  config.if_mru = plan.mtu;
  config.disable_host_loopback = !options.host_loopback;
  config.enable_emu = false;
  config.disable_dhcp = true;
  return config;
}

}  // namespace

// libslirp's calls back to us, through C frames: nothing may be thrown.
struct SlirpStack::Callbacks {
  static SlirpStack& self(void* opaque) { return *static_cast<SlirpStack*>(opaque); }

  // The tap takes a frame or drops it (queue full, device down); TCP sends again, as on any link.
  static ssize_t send_packet(const void* data, size_t size, void* opaque) noexcept {
    const ssize_t written = ::write(self(opaque).tap_, data, size);
    return written < 0 ? static_cast<ssize_t>(size) : written;
  }

  static void guest_error(const char* message, void* /*opaque*/) noexcept {
    log::debug("network: {}", printable(message));
  }

  static int64_t clock_get_ns(void* /*opaque*/) noexcept {
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
  }

  // The one timer libslirp has is that of its unasked-for router advertisements. They would give the sandbox a second address
  // that expires, and wake everybody up; so the timer exists and never runs.
  static void* timer_new(SlirpTimerId /*id*/, void* /*cb_opaque*/, void* opaque) noexcept {
    return opaque;
  }
  static void timer_free(void* /*timer*/, void* /*opaque*/) noexcept {}
  static void timer_mod(void* /*timer*/, int64_t /*expire_ms*/, void* /*opaque*/) noexcept {}

  // The set is made anew for each poll(2), and a notification always comes from inside a call of ours, before the next.
  static void register_poll_fd(int /*fd*/, void* /*opaque*/) noexcept {}
  static void notify(void* /*opaque*/) noexcept {}

  static int add_poll(int fd, int events, void* opaque) noexcept {
    std::vector<pollfd>& set = *self(opaque).filling_;
    set.push_back({fd, to_poll(events), 0});
    return static_cast<int>(set.size() - 1);
  }
  static int get_revents(int index, void* opaque) noexcept {
    return from_poll((*self(opaque).polled_)[static_cast<std::size_t>(index)].revents);
  }

  static const SlirpCb* table() {
    static const SlirpCb callbacks = [] {
      SlirpCb table{};
      table.send_packet = send_packet;
      table.guest_error = guest_error;
      table.clock_get_ns = clock_get_ns;
      table.timer_free = timer_free;
      table.timer_mod = timer_mod;
      table.register_poll_fd = register_poll_fd;
      table.unregister_poll_fd = register_poll_fd;
      table.notify = notify;
      table.timer_new_opaque = timer_new;
      return table;
    }();
    return &callbacks;
  }
};

Result<std::unique_ptr<SlirpStack>> SlirpStack::make(const Options& options) {
  const SlirpLibrary* library = SBX_TRY(SlirpLibrary::load());
  const SlirpVersion version = SBX_TRY(slirp_version());
  if (!version.supported) {
    return fail(
        Error::make(ErrorCode::kUnsupported, "use libslirp", version.text, "it is older than 4.7"));
  }
  if (options.plan.mtu < kLeastMtu || options.plan.mtu > kMtu) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "use MTU",
                            std::to_string(options.plan.mtu),
                            "it must lie between 1500 and 65520"));
  }
  std::unique_ptr<SlirpStack> stack(new SlirpStack);
  const SlirpConfig config = configuration(options);
  stack->library_ = library;
  stack->slirp_ = library->make(&config, Callbacks::table(), stack.get());
  if (stack->slirp_ == nullptr) {
    return fail(Error::make(ErrorCode::kUnsupported, "start libslirp", version.text,
                            "it refuses its configuration"));
  }
  return stack;
}

SlirpStack::~SlirpStack() {
  if (slirp_ != nullptr) {
    library_->cleanup(slirp_);
  }
}

int SlirpStack::fill(std::vector<pollfd>& set) {
  const std::size_t before = set.size();
  std::uint32_t timeout = UINT32_MAX;
  filling_ = &set;
  library_->pollfds_fill(slirp_, &timeout, Callbacks::add_poll, this);
  const bool idle = set.size() == before && timeout == kNoTimer;
  return idle ? -1 : static_cast<int>(std::min<std::uint32_t>(timeout, kNoTimer));
}

void SlirpStack::dispatch(const std::vector<pollfd>& set) {
  polled_ = &set;
  library_->pollfds_poll(slirp_, 0, Callbacks::get_revents, this);
}

void SlirpStack::input(std::span<const std::uint8_t> frame) {
  library_->input(slirp_, frame.data(), static_cast<int>(frame.size()));
}

Result<SlirpVersion> slirp_version() {
  SlirpVersion version;
  version.text = SBX_TRY(SlirpLibrary::load())->version_string();
  std::array<unsigned, 3> numbers{};
  const char* at = version.text.data();
  const char* const end = at + version.text.size();
  for (unsigned& number : numbers) {
    at = std::from_chars(at, end, number).ptr;
    at += at != end && *at == '.' ? 1 : 0;
  }
  version.supported = numbers >= kLeastVersion;
  version.has_known_faults = numbers < kMendedVersion;
  return version;
}

}  // namespace sbx::net
