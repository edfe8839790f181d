#pragma once

#include <span>

#include "oci/digest.hpp"

namespace sbx::oci {

/// image-spec config.md "Layer ChainID": the first diff id as it is, then
/// ChainID(n) = sha256(ChainID(n-1) + " " + DiffID(n)). `diff_ids` must not be empty.
/// Hashes, so it stands in the library oci_hash, which the run path does not link.
ChainId chain_id(std::span<const DiffId> diff_ids);

}  // namespace sbx::oci
