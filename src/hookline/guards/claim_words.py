"""The words that make a claim, as data. A new claim is one more row in `CLAIMS`.

Patterns are for text that went through `quantities.fold` (lower case, plain quotes and dashes) and
match whole words; a blank in a pattern stands for a blank or a hyphen. A claim stands if the
product's own text has the same words. Earlier rows win where two match the same words. `IDIOMS` are
taken out of the copy first: there the words claim nothing.
"""

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Claim:
    """One kind of claim.

    Attributes:
        code: Second half of the verdict's code.
        lacks: What the feed would need, to end 'The copy says "...", but'.
        pattern: Finds it in folded text.
        proof: What backs it besides the same words: a sale price, or the availability.
        percent: Reduction that backs it; 0 for claims that are about none.
    """

    code: str
    lacks: str
    pattern: re.Pattern[str]
    proof: Literal["", "sale", "in_stock", "preorder"] = ""
    percent: int = 0


def _words(*alternatives: str) -> re.Pattern[str]:
    """The alternatives as whole words, their blanks as a blank or a hyphen."""
    pattern = "|".join(alternatives).replace(" ", "[ -]")
    return re.compile(rf"(?<![^\W_])(?:{pattern})(?![^\W_])")


_NO_SUPERLATIVE = (
    "arrest|attest|backrest|behest|bequest|breast|bucharest|budapest|chest|conquest|contest|crest|"
    "detest|digest|divest|earnest|ernest|everest|footrest|forest|guest|harvest|headrest|honest|"
    "infest|ingest|inquest|interest|invest|manifest|midwest|modest|molest|northwest|palmrest|"
    "pinterest|priest|protest|quest|rainforest|reforest|reinvest|request|retest|southwest|suggest|"
    "tempest|unrest|wildest dreams|wrest|wristrest"
)
_DAY = "monday|tuesday|wednesday|thursday|friday|saturday|sunday|christmas|easter|halloween"
_SOON = f"today|tonight|tomorrow|soon|midnight|noon|this week|this weekend|this month|{_DAY}"
_PRO = (
    "doctor|dermatologist|dentist|vet|veterinarian|pediatrician|physician|pharmacist|scientist|"
    "expert|chef|trainer|nutritionist|celebrity|influencer|pro|professional"
)
_BUYERS = (
    "customers?|shoppers?|buyers?|fans?|users?|people|women|men|moms?|mums?|dads?|parents?|owners?|"
    "families|athletes|runners|gamers|pros|experts|everyone|everybody|critics"
)
_MANY = "thousands|millions|hundreds|dozens"
_PLACE = (
    "usa?|uk|america|italy|germany|japan|france|switzerland|china|england|britain|canada|spain|"
    "portugal|sweden|denmark|norway|finland|india|korea|europe|scotland|ireland|australia"
)
_COUNT = r"\d+|one|two|three|four|five|six|seven|eight|nine|ten|few|handful(?: of)?"

CLAIMS: tuple[Claim, ...] = (
    # --- awards and authorities ----------------------------------------------------------------
    Claim(
        "award",
        "the feed names no award",
        _words(
            r"awards?|awarded|prize winn\w+|voted|editor'?s'? (?:choice|pick)|# ?1|no\.? ?1",
            r"number (?:one|1)|nr\.? ?1|gold medal|winner of|michelin|hall of fame",
        ),
    ),
    Claim("award", "the feed names no award", re.compile("[🥇🏆🏅]")),
    Claim(
        "authority",
        "the feed names nobody who vouches for it",
        _words(
            rf"(?:{_PRO})s? (?:recommended|approved|tested|endorsed|trusted|preferred|formulated)",
            r"(?:recommended|approved|endorsed|trusted|preferred) by",
            r"(?:clinically|scientifically|medically|laboratory|dermatologically) \w+|lab tested",
            r"fda|patented|certified|proven|science backed|as seen (?:on|in)|featured in",
        ),
    ),
    # --- ratings and popularity ----------------------------------------------------------------
    Claim(
        "rating",
        "the feed has no ratings",
        _words(
            r"(?:\d(?:\.\d)?|one|two|three|four|five) stars?|(?:top|highly|best|well) rated",
            r"reviews?|reviewed|ratings?|rated|testimonials?",
            r"\d+(?:\.\d)? ?/ ?(?:5|10)|(?:\d+|ten|five) out of (?:\d+|ten|five)",
        ),
    ),
    Claim("rating", "the feed has no ratings", re.compile("[★⭐🌟]{2,}")),
    Claim(
        "popularity",
        "the feed does not say so",
        _words(
            rf"(?:loved|adored|trusted|used|chosen|worn|enjoyed|praised) by (?:\w+ )?"
            rf"(?:{_BUYERS}|{_MANY}|many|all)",
            rf"(?:{_BUYERS}) (?:can'?t stop )?"
            r"(?:loves?|loving|adores?|trusts?|swears? by|rave|raves|raving|agree)",
            rf"(?:{_MANY}) of (?:\w+ )?(?:{_BUYERS}|homes|reviews)|join (?:the )?(?:{_MANY})",
            r"(?:satisfied|happy) (?:customers?|buyers?|users?)|(?:best|top|hot) sell(?:ers?|ing)",
            r"bestsell(?:ers?|ing)|most (?:loved|popular|wanted)|top (?:pick|choice)|viral",
            r"trending|popular|famous|iconic",
            r"(?:customer|fan|crowd|cult|family|people'?s|reader)s?'? (?:favou?rites?|choice)",
            r"everyone'?s (?:talking|favou?rite)",
        ),
    ),
    # --- superlatives and comparisons ----------------------------------------------------------
    Claim(
        "superlative",
        "the feed makes no such claim",
        _words(
            r"best(?: in class)?|unbeatable|unrivall?ed|unmatched|unparalleled|unsurpassed",
            r"flawless|incomparable|second to none|like no other|one and only|world class",
            r"leading|market leader|ultimate|supreme|state of the art|cutting edge|revolutionary",
            r"world'?s (?:first|only|number|no|favou?rite)|groundbreaking|first ever",
            r"the only \w+ (?:you|that|with|for)",
            r"(?:nothing|can'?t be|cannot be|hard to) (?:else )?(?:beats?|compares?)",
            rf"(?!(?:{_NO_SUPERLATIVE})(?![^\W_]))[^\W\d_]{{2,}}est",
            r"(?:most|least) (?!important)\w+"
            r"(?:ful|ous|able|ible|ive|ant|ent|al|ic|ed|(?<!even)(?<!morn)ing)",
        ),
    ),
    Claim(
        "comparison",
        "the feed makes no comparison",
        _words(
            r"(?:better|worse|[^\W\d_]{3,}er|(?:more|less) (?!than)\w+) than",
            r"(?:unlike|than) (?:any|every|all|most|others?)",
            r"(?:unlike|than) the (?:rest|competition|others?|leading)",
            r"twice (?:as|the)|(?:double|triple|half|quadruple) the (?!fun|joy|trouble)\w+",
            r"(?:\d+(?:\.\d+)? ?x|\d+ ?%|(?:two|three|four|five|ten) times)"
            r" (?:more|less|the|as (?:many|much|[^\W\d_]+ as)|[^\W\d_]{3,}er)",
            r"compared (?:to|with)|outperforms?|outlasts?|beats (?:the|any|every|all|other)",
            r"versus|vs\.?|longer lasting",
        ),
    ),
    # --- promises ------------------------------------------------------------------------------
    Claim(
        "guarantee",
        "the feed promises no such thing",
        _words(
            r"guarant\w+|warrant(?:y|ies|ied|eed)|money back|refund\w*|risk free|(?:no|zero) risk",
            r"satisfaction (?:or|is)|or your money|price match\w*|no questions asked",
            r"(?:free|easy|hassle free|simple|extended|day) (?:returns?|exchanges?)|return it",
            r"(?:returns?|exchanges?) (?:policy|accepted|within|are)",
            r"lifetime (?:warranty|guarantee|of use|use)",
            r"never (?:breaks?|fails?|wears? out|fades?|rusts?)",
            r"lasts? (?:you )?(?:for )?(?:a lifetime|forever|years|decades|generations)",
        ),
    ),
    # --- shipping and gifts --------------------------------------------------------------------
    Claim(
        "shipping",
        "the feed says nothing of shipping",
        _words(
            r"(?:free |fast |express |same day |next day |overnight |quick |worldwide )?"
            r"(?:shipping|postage|delivery|dispatch)",
            rf"ships? (?:free|fast|same|next|to|within|in|now|{_SOON})|shipped",
            rf"deliver(?:ed|s)? (?:to your|free|fast|within|by|in time|{_SOON})",
            rf"(?:get|have|receive) it (?:by|before|delivered|{_SOON})|in time for (?:{_DAY})",
            rf"arrives? (?:by|before|in time|within|{_SOON})",
        ),
    ),
    Claim(
        "feature",
        "the feed does not say that it is free of it",
        _words(
            r"[^\W\d_]{3,}-free|(?:bpa|gluten|sugar|lactose|dairy|nut|fat|alcohol|fragrance|paraben|"
            r"sulfate|sulphate|chemical|latex|lint|wrinkle|nickel|lead|caffeine|cruelty",
            r"plastic) free|free (?:of|from) \w+",
        ),
    ),
    Claim(
        "free",
        "the feed gives nothing away",
        _words(
            r"free(?: \w+)?|freebies?|complimentary|gratis|on the house|on us|bogo|bonus|gift with",
            r"(?:no|without) (?:extra |additional )?(?:cost|charge|fees?)|for nothing",
            r"buy (?:one|two|1|2|3) get (?:one|two|1|2|3)|(?:two|three|2|3) for (?:one|two|1|2)",
        ),
    ),
    # --- urgency and stock ---------------------------------------------------------------------
    Claim(
        "urgency",
        "the feed sets no date or limit",
        _words(
            r"(?:ends?|ending|expires?|expiring|closes?|closing|until|till)"
            rf" (?:at |on |by |this )?(?:{_SOON})",
            r"last (?:chance|call|days?|hours?)|final (?:hours?|days?|call|chance|week)",
            r"(?:today|tonight|one day|this week|weekend|hours?) only|only (?:today|tonight)",
            r"(?:limited|short) time|time is running out|running out (?:fast|soon)|flash sale",
            r"countdown|act fast|hurry|before (?:it'?s|they'?re|they are|it is) gone",
            r"while (?:it|they|stocks?|supplies|supply) lasts?",
        ),
    ),
    Claim(
        "stock",
        "the feed gives no stock count",
        _words(
            rf"(?:only|just) (?:a )?(?:{_COUNT}) (?:\w+ )?(?:left|remain\w*|available)",
            rf"(?:{_COUNT}) (?:\w+ )?(?:left|remaining)|last (?:few|ones?|pieces?|units?|items?)",
            r"low (?:in )?stock|limited (?:stock|suppl(?:y|ies)|quantit(?:y|ies)|availability)",
            r"sell(?:s|ing)? (?:fast|out|quickly)|sold out|(?:almost|nearly) (?:gone|sold)",
            r"(?:going|gone) (?:fast|quickly)|back in stock|restocked|in (?:high )?demand",
            r"limited offers?",
        ),
    ),
    Claim(
        "stock",
        "the feed does not say that it is in stock",
        _words(r"in stock|available now|ready to ship"),
        proof="in_stock",
    ),
    Claim(
        "stock",
        "the feed does not offer it for pre-order",
        _words(r"pre ?orders?"),
        proof="preorder",
    ),
    Claim(
        "stock",
        "the feed does not say so",
        _words(r"limited (?:edition|run|release)|exclusive(?:ly)?|one of a kind"),
    ),
    # --- prices in words -----------------------------------------------------------------------
    Claim(
        "discount",
        "the feed's prices are not 50% apart",
        _words(r"(?:half|1/2) (?:price|off)|save (?:a )?half"),
        percent=50,
    ),
    Claim(
        "discount",
        "the feed's prices are not a third apart",
        _words(r"(?:third|1/3) off|save (?:a|one) third"),
        percent=33,
    ),
    Claim(
        "discount",
        "the feed's prices are not a quarter apart",
        _words(r"(?:quarter|1/4) off|save (?:a|one) quarter"),
        percent=25,
    ),
    Claim(
        "sale",
        "the feed gives no sale price for this product",
        _words(
            r"(?<!for )(?<!point of )sale|discount\w*|clearance|markdown|marked down|bargains?",
            r"deals?|reduced(?: price)?|price (?:drop|cut)|(?:special|exclusive|great|hot) offers?",
            r"coupons?|vouchers?|promo(?:tion|tions)?|a steal",
            r"save (?:big|money|more|now|today|up to|extra|a lot)|savings",
            r"(?:low|lower|rock bottom|incredible|crazy|great|new) prices?|cheap|cheaper",
            r"inexpensive",
        ),
        proof="sale",
    ),
    # --- health --------------------------------------------------------------------------------
    Claim(
        "health",
        "the feed makes no such health claim",
        _words(
            r"cures?|cured|curing|heals?|healed|healing|remed(?:y|ies)|relie(?:f|ve|ves|ving)",
            r"treats? (?:acne|pain|anxiety|eczema|insomnia|depression|arthritis|illness|disease)",
            r"prevents? (?:acne|pain|colds?|flu|illness|disease|infections?|cavities|aging)",
            r"(?:boosts?|improves?) (?:your )?(?:immun\w+|metabolism|energy|testosterone|collagen|"
            r"focus|mood|health|sleep|posture|circulation|digestion|memory)",
            r"detox\w*|anti ?(?:ag(?:e|ing|eing)|bacterial|microbial|viral|inflammatory|fungal)",
            r"anti ?oxidants?|(?:reduces?|fights?|erases?|smooths?|fewer) (?:fine lines|wrinkles)",
            r"weight loss|los(?:e|ing) weight|slimming|burns? (?:fat|calories)|fat burning",
            r"therap\w+",
            r"medical(?: grade)?|medicinal|hypo ?allergenic|non ?toxic|healthier|superfood",
            r"nutritious",
            r"healthy (?:skin|hair|heart|gut|joints?|bones?|teeth|weight|sleep)|ergonomic\w*",
            r"ortho(?:paedic|pedic)|safe for (?:kids|babies|pets|children)",
        ),
    ),
    # --- environment ---------------------------------------------------------------------------
    Claim(
        "environment",
        "the feed makes no such environmental claim",
        _words(
            r"eco (?:friendly|conscious)|eco|ecological\w*",
            r"(?:environment(?:ally)?|planet|earth|climate|ocean) "
            r"(?:friendly|conscious|positive|safe|kind)",
            r"(?:good|kind|better|gentle) (?:to|for|on) the (?:planet|earth|environment)",
            r"sustainab\w+|greener|go green|low (?:impact|emission|carbon)|net zero",
            r"(?:carbon|climate) (?:neutral|negative|positive)|zero (?:waste|emissions?)",
            r"organic\w*|bio ?degradab\w+|compostab\w+|recycl\w+|upcycl\w+|renewable|vegan",
            r"plant based",
            r"all natural|natural (?:ingredients?|fib(?:er|re)s?|materials?|oils?|rubber)",
            r"fair ?trade",
            r"ethical\w*|responsibly (?:made|sourced|grown)|energy (?:efficient|saving|star)|solar",
        ),
    ),
    # --- what the product can do and is made of ------------------------------------------------
    Claim(
        "feature",
        "the feed does not say that it is",
        _words(
            r"[^\W\d_]{3,}-?proof|(?:water|weather|shock|dust|sweat|wind|child) proof",
            r"(?:water|weather|stain|scratch|shock|wind|dust|sweat|heat|fire|flame|impact|rust|wrinkle|"
            r"uv|tear|crease|slip|chip|odou?r|abrasion|drop|fade) ?(?:resist\w+|repell\w+)",
            r"unbreakable|indestructible|breathable|lightweight|featherlight|(?:machine )?washable",
            r"(?:dishwasher|microwave|oven|food) safe|wireless|cordless|rechargeable|bluetooth",
            r"hand ?(?:made|crafted|woven|stitched|knit\w*|painted)|foldable|reversible|insulated",
            r"(?:non|anti) ?(?:stick|slip)|quick ?dry\w*|fast charging|noise cancel\w+",
            r"touch ?screen",
            r"self cleaning|submersible|moisture wicking|long lasting|genuine|authentic",
            r"all day (?:battery|power)",
        ),
    ),
    Claim(
        "material",
        "the feed names no such material",
        _words(
            r"cotton|leather|silk|wool|woollen|merino|linen|cashmere|nylon|polyester|bamboo|denim",
            r"suede|velvet|canvas|stainless|titanium|alumini?um|solid wood|hardwood|oak|walnut",
            r"teak|mahogany|ceramic|porcelain|marble|carbon fib(?:er|re)|memory foam|goose down",
            r"diamonds?|sterling|(?:solid|\d+ ?k) gold|gold plated|silicone|latex|neoprene|fleece",
            r"microfib(?:er|re)",
        ),
    ),
    Claim(
        "origin",
        "the feed does not say where it is made",
        _words(
            r"(?:made|crafted|built|assembled|manufactured|designed|grown|imported|engineered) "
            rf"(?:in|from) (?:the )?(?:{_PLACE})",
            r"(?:american|italian|german|swiss|locally) (?:made|sourced)",
        ),
    ),
)

IDIOMS = _words(
    # numbers that count nothing
    r"(?:you|us|we|them|these|those) two|the two of (?:you|us|them)|two cents|two birds",
    r"two left feet|(?:high|take) five|cloud nine|forty winks|four legged|one in a million",
    r"thanks a million|(?:looks?|feels?) like a million|one two punch",
    # best, most and least that praise nothing
    r"best (?:friends?|man|wishes|of luck|foot forward|before)|(?:all|wish you) the best|best self",
    r"(?:do|try|look|feel|give|be|at) (?:it )?(?:your|my|our|her|his|their) best(?: self)?",
    r"at least",
    r"what (?:you |they )?(?:do|does) best|(?:your|my|our|their) (?:latest|newest|nearest|closest)",
    r"(?:rather|other|sooner) than|than (?:you|they) (?:think|thought|expect|imagine|know)",
    # free that gives nothing away
    r"(?:feel|sets?|roam|break|run|breathe|live|stay) (?:(?:you|it|them|yourself|your \w+) )?free",
    r"free (?:your|yourself|up|time|spirit\w*|hands?|weekends?|days?|evenings?|style|fall)",
    r"free to (?:be|roam|move|go|do|explore|wander|dream|play|live|focus|enjoy)",
    r"free (?:of|from) (?:worry|worries|hassles?|stress|clutter|fuss|doubt)",
    r"(?:hands|hassle|worry|stress|care|fuss|guilt|trouble|clutter|effort|drama) free",
    # deals, promises and pressure that are none
    r"(?:big|huge|real|done) deal|(?:good|great) deal of|deals? with|deal breakers?|no deal",
    r"(?:no|a|the|in|never) hurry|saving grace|living proof|(?:future|fool) ?proof|leading up to",
    r"(?:count|rely|depend|lean|call) on us|retail therapy|world'?s your oyster",
)
