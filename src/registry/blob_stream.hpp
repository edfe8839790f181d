#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.hpp"
#include "registry/exchange.hpp"

namespace sbx::registry {

/// The bytes of a blob, exactly as many as its descriptor says: fewer or more are kCorrupt. A broken connection is
/// opened again with a Range request where it broke; a registry that ignores Range is read from the beginning and the
/// known part skipped. Each piece of 64 KiB gives the full number of tries anew.
class BlobStream {
 public:
  /// Not opened yet: the first read() does that.
  BlobStream(Exchange& exchange, std::string target, std::string scope, Asked asked,
             std::uint64_t size, std::uint64_t offset);

  /// Connects, so that what is refused is known before anything is read.
  Result<void> open();

  /// At least one byte of data.size() > 0; 0 once all of them were there.
  Result<std::size_t> read(std::span<std::byte> data);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Of the next byte.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  Result<void> connect();
  Result<void> check_range(const Response& response) const;
  Result<void> skip(std::uint64_t count);
  Result<std::size_t> read_once(std::span<std::byte> data);
  Result<void> check_end();
  [[nodiscard]] Unexpected<Error> corrupt(std::string reason) const;

  Exchange& exchange_;
  std::string target_;
  std::string scope_;
  Asked asked_;
  std::uint64_t size_;
  std::uint64_t offset_;
  std::uint64_t progress_mark_;  // tries count from here
  int tries_ = 0;
  bool ended_ = false;
  std::unique_ptr<Response> response_;
};

}  // namespace sbx::registry
