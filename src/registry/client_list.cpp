#include <algorithm>

#include "oci/index.hpp"
#include "registry/client_impl.hpp"
#include "registry/link_header.hpp"

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxPage = std::size_t{4} << 20U;
constexpr int kMaxPages = 1000;       // of tags, whose number the caller limits
constexpr int kMaxCatalogPages = 20;  // of 1000: a catalog is looked through, not kept
constexpr int kMaxReferrerPages = 20;
constexpr std::size_t kPageTags = 1000;

struct Page {
  int status = 0;
  std::string text;
  std::optional<Url> next;
};

/// Where the next page is; never on another host: a list does not lead anywhere else.
Result<std::optional<Url>> next_page(const Response& response) {
  const std::optional<std::string> link = next_link(response.header("link"));
  if (!link) {
    return std::optional<Url>();
  }
  Url next = SBX_TRY(response.url().resolve(*link));
  if (!next.same_origin(response.url())) {
    return fail(Error::make(ErrorCode::kDenied, "go to the next page of", response.url().shown(),
                            fmt::format("it is at another host, {}", next.shown())));
  }
  if (next.target == response.url().target) {
    return fail(Error::make(ErrorCode::kCorrupt, "go to the next page of", response.url().shown(),
                            "it is this one again"));
  }
  return std::optional(std::move(next));
}

/// docker-registry does not show an index to who does not say that he knows what it is.
Request list_request(const Url& url) {
  Request request{.url = url};
  request.headers = {{"Accept", std::string(oci::kOciIndexType)}, {"Accept", "application/json"}};
  return request;
}

Result<Page> fetch_page(Exchange& exchange, const Url& url, std::string_view scope,
                        const Asked& asked, std::initializer_list<int> wanted) {
  return exchange.persist<Page>([&]() -> Result<Page> {
    const auto response = SBX_TRY(exchange.expect(list_request(url), scope, asked, wanted));
    Page page{.status = response->status(), .text = {}, .next = SBX_TRY(next_page(*response))};
    Result<std::string> text = response->read_all(kMaxPage);
    if (!text) {
      exchange.note_failure();
      return fail(std::move(text).error());
    }
    page.text = std::move(text).value();
    return page;
  });
}

Asked asked_of_host(std::string op, const Endpoint& endpoint) {
  return {std::move(op), registry_name(endpoint.host), endpoint.host};
}

bool has_term(std::string_view text, std::string_view term) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  return std::search(text.begin(), text.end(), term.begin(), term.end(), same) != text.end();
}

void cut(SearchResults& results, std::size_t limit) {
  if (results.found.size() > limit) {
    results.found.resize(limit);
    results.complete = false;
  }
}

/// nullopt if the registry has no such search.
Result<std::optional<SearchResults>> search_v1(Exchange& exchange, std::string_view term,
                                               std::size_t limit) {
  const Asked asked = asked_of_host("search registry", exchange.endpoint());
  const Url url =
      SBX_TRY(exchange.address("/v1/search"))
          .with_query("q", term)
          .with_query("n",
                      std::to_string(std::min<std::size_t>(limit, 100)));  // its own largest page
  const Page page = SBX_TRY(fetch_page(exchange, url, "", asked, {200, 400, 401, 403, 404, 405}));
  if (page.status != 200) {
    return std::optional<SearchResults>();
  }
  return std::optional(SBX_TRY(parse_search(page.text, asked.subject)));
}

Result<SearchResults> search_catalog(Exchange& exchange, std::string_view term, std::size_t limit) {
  const Asked asked = asked_of_host("read the catalog of", exchange.endpoint());
  std::optional<Url> url = SBX_TRY(exchange.address("/v2/_catalog?n=1000"));
  SearchResults results;
  for (int pages = 0; url && pages < kMaxCatalogPages && results.found.size() <= limit; ++pages) {
    Page page = SBX_TRY(fetch_page(exchange, *url, "registry:catalog:*", asked, {200}));
    for (std::string& name : SBX_TRY(parse_catalog(page.text, asked.subject))) {
      if (has_term(name, term)) {
        results.found.push_back({.name = std::move(name)});
      }
    }
    url = std::move(page.next);
  }
  results.complete = !url;
  return results;
}

}  // namespace

Result<Tags> Client::tags(std::size_t limit) {
  const Asked asked{"list the tags of",
                    fmt::format("{}/{}", registry_name(endpoint().host), endpoint().repository),
                    endpoint().host};
  const std::string first = fmt::format("tags/list?n={}", std::min(limit, kPageTags));
  std::optional<Url> url = SBX_TRY(impl_->exchange.address(impl_->target(first)));
  Tags tags;
  for (int pages = 0; url && pages < kMaxPages && tags.names.size() < limit; ++pages) {
    Page page = SBX_TRY(fetch_page(impl_->exchange, *url, impl_->pull_scope(), asked, {200}));
    for (std::string& name : SBX_TRY(parse_tags(page.text, asked.subject))) {
      tags.names.push_back(std::move(name));
    }
    url = std::move(page.next);
  }
  tags.complete = !url && tags.names.size() <= limit;
  tags.names.resize(std::min(tags.names.size(), limit));
  return tags;
}

Result<std::vector<oci::Descriptor>> Client::referrers(const oci::Digest& digest) {
  const Asked asked = impl_->asked("list what refers to", digest.str());
  std::optional<Url> url =
      SBX_TRY(impl_->exchange.address(impl_->target("referrers/" + digest.str())));
  std::vector<oci::Descriptor> found;
  for (int pages = 0; url && pages < kMaxReferrerPages; ++pages) {
    Page page = SBX_TRY(fetch_page(impl_->exchange, *url, impl_->pull_scope(), asked, {200, 404}));
    if (page.status == 404) {
      // Registries before distribution 1.1: a client that pushes referrers keeps their index under this tag.
      url = SBX_TRY(impl_->exchange.address(impl_->target("manifests/sha256-" + digest.hex())));
      page = SBX_TRY(fetch_page(impl_->exchange, *url, impl_->pull_scope(), asked, {200, 404}));
      page.next.reset();
      if (page.status == 404) {
        return found;
      }
    }
    oci::Index index =
        SBX_TRY(oci::Index::parse(page.text, oci::MediaType::kOciIndex, asked.subject));
    std::move(index.manifests.begin(), index.manifests.end(), std::back_inserter(found));
    url = std::move(page.next);
  }
  return found;
}

Result<SearchResults> Client::search(std::string_view term, std::size_t limit) {
  std::optional<SearchResults> results;
  if (registry_name(endpoint().host) == "docker.io") {
    // Another machine than the one that serves images, and no credentials are needed.
    Exchange hub({.host = "index.docker.io"}, impl_->exchange.options(), nullptr);
    results = SBX_TRY(search_v1(hub, term, limit));
  } else {
    results = SBX_TRY(search_v1(impl_->exchange, term, limit));
  }
  if (!results) {
    results = SBX_TRY(search_catalog(impl_->exchange, term, limit));
  }
  cut(*results, limit);
  return std::move(*results);
}

}  // namespace sbx::registry
