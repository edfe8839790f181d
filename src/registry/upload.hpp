#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "oci/digest.hpp"
#include "registry/exchange.hpp"

namespace sbx::registry {

/// One blob on its way to a registry (distribution-spec 1.1, "Pushing blobs").
class Upload {
 public:
  struct Blob {
    oci::Digest digest;
    std::uint64_t size = 0;
    BodyReader reader;
  };

  /// `target` is that of the POST that opens an upload; `offered` an upload that is open already.
  Upload(Exchange& exchange, std::string target, std::string scope, Asked asked, Blob blob,
         std::optional<Url> offered);

  /// Until the registry has it. What may pass is tried again; in pieces, each that arrived gives the tries anew.
  Result<void> run();

 private:
  Result<void> begin();
  Result<void> send_whole();
  Result<void> send_pieces();
  Result<void> send_piece();
  Result<void> take_progress(const Response& response, std::uint64_t sent);
  Result<void> find_offset();
  Result<void> finish(Request request);
  Result<Request> closing_request() const;
  Result<void> take_location(const Response& response);

  Exchange& exchange_;
  std::string target_;
  std::string scope_;
  Asked asked_;
  Blob blob_;
  std::optional<Url> location_;  // of the open upload; a new one after each answer
  std::uint64_t offset_ = 0;     // how much of it the registry has
  std::uint64_t piece_;
  bool takes_no_pieces_ = false;
};

}  // namespace sbx::registry
