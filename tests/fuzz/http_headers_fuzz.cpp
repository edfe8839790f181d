// The headers of registries that sbx acts on, each parser over the same bytes: challenges, Link, Content-Range, an upload's
// Range, Retry-After, and addresses as Location has them.

#include "base/assert.hpp"
#include "harness.hpp"
#include "registry/challenge.hpp"
#include "registry/link_header.hpp"
#include "registry/ranges.hpp"
#include "registry/retry.hpp"
#include "registry/url.hpp"

namespace {

using namespace sbx::registry;

/// An address that parses is written in one way, which means the same; what it shows has no query.
void check_url(const sbx::Result<Url>& url) {
  if (!url) {
    (void)url.error().message();
    return;
  }
  const auto again = Url::parse(url->str());
  SBX_ASSERT(again && again->str() == url->str() && again->same_origin(*url));
  SBX_ASSERT(url->port > 0 && url->port < 65536 && url->target.starts_with('/'));
  SBX_ASSERT(url->shown().find('?') == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sbx::fuzz::as_text(data, size);
  const auto challenges = parse_challenges(text);
  SBX_ASSERT(challenges.size() <= 8);
  if (const Challenge* const chosen = choose_challenge(challenges)) {
    SBX_ASSERT(chosen->scheme == "basic" || !chosen->realm.empty());
  }
  if (const auto link = next_link(text)) {
    SBX_ASSERT(!link->empty() && text.find(*link) != std::string_view::npos);
  }
  if (const auto range = parse_content_range(text)) {
    SBX_ASSERT(range->first <= range->last && (!range->total || range->last < *range->total));
  }
  (void)parse_upload_range(text);
  if (const auto wait = parse_retry_after(text, 1'700'000'000)) {
    SBX_ASSERT(wait->count() >= 0 && wait->count() <= 1'000'000'000);
  }
  static const Url kBase = Url::parse("https://registry.example.org/v2/a/b?c=d").value();
  check_url(Url::parse(text));
  check_url(kBase.resolve(text));
  return 0;
}
