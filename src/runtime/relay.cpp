#include "runtime/relay.hpp"

#include <unistd.h>

#include <cerrno>

namespace sbx::runtime {

void Relay::read_some() {
  const ssize_t got = ::read(from_, buffer_.data(), buffer_.size());
  if (got > 0) {
    begin_ = 0;
    size_ = static_cast<std::size_t>(got);
  } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
    ended_ = true;  // EIO is how a pseudo terminal says that its other side is closed; pty(7)
  }
}

void Relay::write_some() {
  const ssize_t put = ::write(to_, buffer_.data() + begin_, size_);
  if (put > 0) {
    begin_ += static_cast<std::size_t>(put);
    size_ -= static_cast<std::size_t>(put);
  } else if (put < 0 && errno != EINTR && errno != EAGAIN) {
    ended_ = true;
    size_ = 0;
  }
}

void LogRelay::read_some() {
  std::array<std::byte, kMaxMessage - 1>
      bytes;  // NOLINT: read before written never happens; as much as a pipe holds
  const ssize_t got = ::read(from_, bytes.data(), bytes.size());
  if (got > 0) {
    const auto text = std::span(bytes).first(static_cast<std::size_t>(got));
    if (log_ != nullptr) {
      log_->add(stream_, text);
    }
    watched_by_.tell(stream_, text);
  } else if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
    ended_ = true;  // see Relay::read_some
    if (log_ != nullptr) {
      log_->end(stream_);
    }
  }
}

}  // namespace sbx::runtime
