#include "runtime/attachments.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "runtime/poll_events.hpp"
#include "sys/local_socket.hpp"
#include "sys/raw.hpp"

namespace sbx::runtime {
namespace {

constexpr std::size_t kMostClients = 64;

}  // namespace

Result<Attachments> Attachments::listen(int container) {
  Attachments out;
  (void)::unlinkat(container, kAttachSocket, 0);  // of an earlier run; the lock is ours
  out.listener_ = SBX_TRY(sys::listen_at(container, kAttachSocket));
  return out;
}

void Attachments::adopt(sys::Fd connection) {
  (void)sys::set_nonblocking(connection.get());  // cannot fail for a socket of ours
  clients_.push_back({std::move(connection), {}});
}

void Attachments::accept_one() {
  Result<std::optional<sys::Fd>> next = sys::accept_own(listener_.get());
  if (next && *next && clients_.size() < kMostClients) {
    clients_.push_back({std::move(**next), {}});
  }
}

void Attachments::add_poll(std::vector<pollfd>& polls, bool take_input) const {
  polls.push_back({listener_ ? listener_.get() : -1, POLLIN, 0});
  for (const Client& client : clients_) {
    const short events =
        static_cast<short>((take_input ? POLLIN : 0) | (client.waiting.empty() ? 0 : POLLOUT));
    polls.push_back({client.connection.get(), events, 0});
  }
}

void Attachments::handle(const std::vector<pollfd>& polls, const AttachedInput& input) {
  for (auto client = clients_.begin(); client != clients_.end();) {
    const short events = events_on(polls, client->connection.get());
    const bool there = ((events & POLLOUT) == 0 || flush(*client)) &&
                       ((events & (POLLIN | POLLHUP | POLLERR)) == 0 || read_from(*client, input));
    client = there ? std::next(client) : clients_.erase(client);
  }
  if (listener_ && events_on(polls, listener_.get()) != 0) {
    accept_one();
  }
}

bool Attachments::read_from(Client& client, const AttachedInput& input) {
  std::array<char, kMaxMessage> buffer;  // NOLINT: read before written never happens
  const ssize_t got = ::read(client.connection.get(), buffer.data(), buffer.size());
  if (got <= 0) {
    return got < 0 && (errno == EAGAIN || errno == EINTR);
  }
  const std::string_view message(buffer.data() + 1, static_cast<std::size_t>(got) - 1);
  std::array<std::uint16_t, 2> size{};
  switch (buffer.front()) {
    case kInputMessage:
      input.bytes(message);
      return true;
    case kInputEndMessage:
      input.end();
      return true;
    case kSizeMessage:
      if (message.size() == sizeof size) {
        std::memcpy(size.data(), message.data(), sizeof size);
        input.resize({size[0], size[1]});
      }
      return true;
    default:
      return false;
  }
}

bool Attachments::flush(Client& client) {
  const long sent =
      sys::raw::send(client.connection.get(), client.waiting.data(), client.waiting.size(), -1);
  if (sent >= 0) {
    client.waiting.clear();
    client.waiting.shrink_to_fit();
  }
  return sent >= 0 || sent == -EAGAIN || sent == -EINTR;
}

void Attachments::tell(LogStream stream, std::span<const std::byte> bytes) {
  if (clients_.empty()) {
    return;
  }
  std::string message(1, stream == LogStream::kOut ? kOutMessage : kErrMessage);
  message.append(reinterpret_cast<const char*>(bytes.data()),
                 bytes.size());  // NOLINT: bytes to bytes
  std::erase_if(clients_, [&](Client& client) {
    client.waiting = message;
    return !flush(client);
  });
}

bool Attachments::keeps_up() const {
  return std::all_of(clients_.begin(), clients_.end(),
                     [](const Client& client) { return client.waiting.empty(); });
}

}  // namespace sbx::runtime
