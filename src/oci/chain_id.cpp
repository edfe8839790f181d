#include "oci/chain_id.hpp"

#include "base/sha256.hpp"

namespace sbx::oci {

ChainId chain_id(std::span<const DiffId> diff_ids) {
  SBX_ASSERT(!diff_ids.empty());
  ChainId chain(diff_ids.front().bytes());
  Sha256 hash;
  for (const DiffId& next : diff_ids.subspan(1)) {
    const std::string text = chain.str() + " " + next.str();
    hash.update(std::as_bytes(std::span(text.data(), text.size())));
    chain = ChainId(hash.finish());
  }
  return chain;
}

}  // namespace sbx::oci
