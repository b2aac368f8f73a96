-- The database that 0.1 left: two watches, their first look at ads of the sandbox, a variant with its review,
-- a board. Written by pg_dump --inserts; tests/flows/upgrade/test_from_0_1.py upgrades it.
CREATE TABLE public.ad_variant (
    id integer NOT NULL,
    original_ad_id text NOT NULL,
    user_id integer NOT NULL,
    workspace_id integer,
    status text NOT NULL,
    prompt text NOT NULL,
    attempt integer DEFAULT 1 NOT NULL,
    title text,
    description text,
    original_path text,
    original_sha256 text,
    image_path text,
    image_sha256 text,
    confidence_score double precision,
    response_metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    error text,
    requested_at timestamp with time zone DEFAULT now() NOT NULL,
    completed_at timestamp with time zone,
    generator text,
    receipt_run_id text,
    receipt_task_id text,
    problem text,
    error_kind text,
    requested_by uuid,
    flow_run_id uuid,
    review_run_id uuid,
    token uuid DEFAULT gen_random_uuid() NOT NULL,
    asked_at timestamp with time zone,
    started_at timestamp with time zone,
    picture_similarity double precision,
    text_similarity double precision,
    is_too_close boolean DEFAULT false NOT NULL,
    wants_review boolean DEFAULT false NOT NULL,
    CONSTRAINT ck_ad_variant_attempt CHECK ((attempt > 0)),
    CONSTRAINT ck_ad_variant_confidence_score CHECK (((confidence_score >= (0)::double precision) AND (confidence_score <= (1)::double precision))),
    CONSTRAINT ck_ad_variant_status CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text, 'cancelled'::text])))
);
ALTER TABLE public.ad_variant ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.ad_variant_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.advertiser (
    advertiser_id text NOT NULL,
    name text NOT NULL,
    first_seen_at timestamp with time zone,
    last_seen_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.board (
    id integer NOT NULL,
    user_id integer NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.board_creative (
    board_id integer NOT NULL,
    ad_creative_id text NOT NULL,
    added_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.board ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.board_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.creative (
    ad_creative_id text NOT NULL,
    advertiser_id text NOT NULL,
    format text NOT NULL,
    image_url text,
    video_link text,
    width integer,
    height integer,
    target_domain text,
    first_shown timestamp with time zone,
    last_shown timestamp with time zone,
    total_days_shown integer,
    details_link text,
    views_min bigint,
    views_max bigint,
    budget_min text,
    budget_max text,
    regions text[] DEFAULT '{}'::text[] NOT NULL,
    platforms text[] DEFAULT '{}'::text[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    content_hash text GENERATED ALWAYS AS (md5(((((format || '|'::text) || COALESCE(image_url, ''::text)) || '|'::text) || COALESCE(video_link, ''::text)))) STORED NOT NULL,
    CONSTRAINT ck_creative_format CHECK ((format = ANY (ARRAY['text'::text, 'image'::text, 'video'::text])))
);
CREATE TABLE public.creative_detail (
    ad_creative_id text NOT NULL,
    watch_id integer,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    answered_at timestamp with time zone,
    search_id text,
    searches_billed integer DEFAULT 0 NOT NULL,
    searches_cached integer DEFAULT 0 NOT NULL,
    headline text,
    snippet text,
    call_to_action text,
    landing_url text,
    funded_by text,
    variations jsonb DEFAULT '[]'::jsonb NOT NULL,
    error text
);
CREATE TABLE public.creative_event (
    id integer NOT NULL,
    watch_id integer NOT NULL,
    ad_creative_id text NOT NULL,
    kind text NOT NULL,
    content_hash text NOT NULL,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL,
    notified_at timestamp with time zone,
    announced_at timestamp with time zone,
    CONSTRAINT ck_creative_event_kind CHECK ((kind = ANY (ARRAY['baseline'::text, 'new'::text, 'changed'::text, 'reactivated'::text, 'ended'::text])))
);
ALTER TABLE public.creative_event ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.creative_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.creative_region (
    ad_creative_id text NOT NULL,
    region text NOT NULL,
    first_shown date,
    last_shown date,
    times_shown text,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public."fetch" (
    id uuid NOT NULL,
    query jsonb NOT NULL,
    query_hash text NOT NULL,
    watch_id integer,
    flow_run_id uuid,
    status text NOT NULL,
    pages integer NOT NULL,
    searches_billed integer NOT NULL,
    searches_cached integer NOT NULL,
    search_ids text[] DEFAULT '{}'::text[] NOT NULL,
    next_page_token text,
    new_count integer NOT NULL,
    changed_count integer NOT NULL,
    unchanged_count integer NOT NULL,
    rejected_count integer NOT NULL,
    stop_reason text,
    error text,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT ck_fetch_status CHECK ((status = ANY (ARRAY['running'::text, 'completed'::text, 'failed'::text, 'abandoned'::text]))),
    CONSTRAINT ck_fetch_stop_reason CHECK ((stop_reason = ANY (ARRAY['end'::text, 'watermark'::text, 'page_limit'::text, 'budget'::text, 'error'::text])))
);
CREATE TABLE public.message (
    id integer NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    recipient text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    sending_at timestamp with time zone,
    delivered_at timestamp with time zone,
    error text
);
ALTER TABLE public.message ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.message_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.rate_slot (
    id bigint NOT NULL,
    name text NOT NULL,
    taken_at timestamp with time zone NOT NULL
);
ALTER TABLE public.rate_slot ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rate_slot_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.rejected_row (
    id integer NOT NULL,
    fetch_id uuid NOT NULL,
    reason text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.rejected_row ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rejected_row_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.variant_feedback (
    id integer NOT NULL,
    variant_id integer NOT NULL,
    user_id integer NOT NULL,
    is_approved boolean,
    rating integer,
    comment text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    accepts_closeness boolean DEFAULT false NOT NULL,
    CONSTRAINT ck_variant_feedback_rating CHECK (((rating >= 1) AND (rating <= 5)))
);
ALTER TABLE public.variant_feedback ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.variant_feedback_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.watch (
    id integer NOT NULL,
    user_id integer NOT NULL,
    name text NOT NULL,
    advertiser_ids text[] DEFAULT '{}'::text[] NOT NULL,
    text text,
    region text,
    platform text,
    creative_format text,
    political_ads boolean NOT NULL,
    is_active boolean NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    interval_minutes integer DEFAULT 60 NOT NULL,
    max_pages integer DEFAULT 5 NOT NULL,
    monthly_budget integer,
    ended_after_days integer DEFAULT 7 NOT NULL,
    details_per_sweep integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    baseline_at timestamp with time zone,
    complete_at timestamp with time zone,
    has_gaps boolean DEFAULT false NOT NULL,
    checked_at timestamp with time zone,
    coverage text,
    problem text,
    digested_at timestamp with time zone,
    CONSTRAINT ck_watch_coverage CHECK ((coverage = ANY (ARRAY['complete'::text, 'partial'::text, 'none'::text]))),
    CONSTRAINT ck_watch_creative_format CHECK ((creative_format = ANY (ARRAY['text'::text, 'image'::text, 'video'::text]))),
    CONSTRAINT ck_watch_details_per_sweep CHECK ((details_per_sweep >= 0)),
    CONSTRAINT ck_watch_ended_after_days CHECK ((ended_after_days > 0)),
    CONSTRAINT ck_watch_interval_minutes CHECK ((interval_minutes > 0)),
    CONSTRAINT ck_watch_max_pages CHECK ((max_pages > 0)),
    CONSTRAINT ck_watch_monthly_budget CHECK ((monthly_budget >= 0)),
    CONSTRAINT ck_watch_platform CHECK ((platform = ANY (ARRAY['PLAY'::text, 'MAPS'::text, 'SEARCH'::text, 'SHOPPING'::text, 'YOUTUBE'::text]))),
    CONSTRAINT ck_watch_query CHECK (((advertiser_ids <> '{}'::text[]) OR (text IS NOT NULL)))
);
CREATE TABLE public.watch_creative (
    watch_id integer NOT NULL,
    ad_creative_id text NOT NULL,
    first_matched_at timestamp with time zone DEFAULT now() NOT NULL,
    last_matched_at timestamp with time zone DEFAULT now() NOT NULL,
    content_hash text DEFAULT ''::text NOT NULL,
    last_shown timestamp with time zone,
    ended_at timestamp with time zone
);
ALTER TABLE public.watch ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.watch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
INSERT INTO public.ad_variant OVERRIDING SYSTEM VALUE VALUES
	(1, 'CR06923374512490676225', 1, NULL, 'completed', 'Create a summer-themed version', 1, '[SANDBOX] Summer with New Balance Athletic Shoe', '[SANDBOX] Summer with New Balance Athletic Shoe
From Street Style To Classic Comfort To Performance Gear. Made for long, bright days.
Shop summer →
Variant C8FDEF: “Create a summer-themed version”', 'originals/9e/9ed6fa1d82a32b8eb48d197df37512f12774151ee49455ea30db8dfaaeaede0a.png', '57b9cd3a8571b31015f3a8ce0059616660ca0ba1f33c0adc9c59c0f3fb2eb194', 'variants/d9/d98af1249358bf2d7ea97c9f8c2aa8485e94602c32b206fe8f63eabe1781181e.png', 'd98af1249358bf2d7ea97c9f8c2aa8485e94602c32b206fe8f63eabe1781181e', 1, '{"status": "succeeded", "outputs": ["json", "text"], "generator": "dify", "total_steps": 4, "workflow_id": "5a4dbb0c-0000-4000-8000-000000000001", "elapsed_time": 1.014871, "total_tokens": 49, "workflow_run_id": "56f5870a-b4b7-4103-8de9-995c4565a63c"}', NULL, '2026-11-27 04:03:50.047356+00', '2026-11-27 04:04:04.927972+00', 'dify', '56f5870a-b4b7-4103-8de9-995c4565a63c', '1831b3c9-8cdc-4592-a6a4-8ebd84e563aa', NULL, NULL, NULL, '12a3c8e9-e68f-4f44-a39e-37a69ad16610', NULL, 'c47e7480-7446-4d42-91ea-46b4c258e5f8', '2026-11-27 04:04:03.530996+00', '2026-11-27 04:04:00.091363+00', 0.016, NULL, false, false);
INSERT INTO public.advertiser VALUES
	('AR10072600183532683265', 'Hubspot, Inc.', '2022-06-29 22:31:22+00', '2026-09-16 02:18:21+00', '2026-11-27 04:03:36.647891+00', '2026-11-27 04:03:36.647891+00'),
	('AR04323445746671026177', 'New Balance Athletic Shoe, Inc.', '2022-03-02 14:00:05+00', '2026-08-12 22:53:23+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00');
INSERT INTO public.alembic_version VALUES
	('0004');
INSERT INTO public.board OVERRIDING SYSTEM VALUE VALUES
	(1, 1, 'spring', '2026-11-27 04:04:43.118116+00');
INSERT INTO public.board_creative VALUES
	(1, 'CR06923374512490676225', '2026-11-27 04:04:51.293373+00');
INSERT INTO public.creative VALUES
	('CR06609143572560084993', 'AR10072600183532683265', 'text', 'http://127.0.0.1:4300/archive/simgad/11373552786331311574', NULL, 348, 451, 'hubspot.com', '2022-06-29 22:31:22+00', '2026-09-16 02:18:21+00', 1540, 'https://adstransparency.google.com/advertiser/AR10072600183532683265/creative/CR06609143572560084993?region=anywhere&domain=hubspot.com', NULL, NULL, NULL, NULL, '{2840}', '{}', '2026-11-27 04:03:36.647891+00', '2026-11-27 04:03:36.647891+00', DEFAULT),
	('CR07984100738747858945', 'AR10072600183532683265', 'image', 'http://127.0.0.1:4300/archive/simgad/15529968583071394590', NULL, NULL, NULL, 'hubspot.com', '2026-06-17 15:26:18+00', '2026-09-16 02:09:19+00', 91, 'https://adstransparency.google.com/advertiser/AR10072600183532683265/creative/CR07984100738747858945?region=anywhere&domain=hubspot.com', NULL, NULL, NULL, NULL, '{2840}', '{}', '2026-11-27 04:03:36.647891+00', '2026-11-27 04:03:36.647891+00', DEFAULT),
	('CR08500885884000796673', 'AR10072600183532683265', 'video', NULL, NULL, NULL, NULL, 'hubspot.com', '2025-07-10 20:05:46+00', '2026-09-16 02:15:35+00', 409, 'https://adstransparency.google.com/advertiser/AR10072600183532683265/creative/CR08500885884000796673?region=anywhere&domain=hubspot.com', NULL, NULL, NULL, NULL, '{2840}', '{}', '2026-11-27 04:03:36.647891+00', '2026-11-27 04:03:36.647891+00', DEFAULT),
	('CR00674307803887697921', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/6747528105738783683', NULL, 348, 180, NULL, '2022-05-10 13:16:37+00', '2026-08-12 22:07:27+00', 1344, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR00674307803887697921?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR00931213239792959489', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/2826764151131361866', NULL, 348, 199, NULL, '2026-01-22 18:06:34+00', '2026-08-12 22:25:59+00', 203, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR00931213239792959489?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR01037870514841845761', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/5047046136314362993', NULL, 381, 321, NULL, '2025-11-10 16:08:12+00', '2026-08-12 21:04:15+00', 275, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR01037870514841845761?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR01059793436669902849', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/10379741740533139377', NULL, 348, 134, NULL, '2024-10-01 07:50:51+00', '2026-08-12 21:30:58+00', 629, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR01059793436669902849?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR02358492986070794241', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/16800780590953139068', NULL, 380, 340, NULL, '2022-05-10 13:38:36+00', '2026-08-12 21:30:07+00', 1342, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR02358492986070794241?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR02491792123645394945', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/4406412446470123775', NULL, 381, 238, NULL, '2025-11-10 16:16:37+00', '2026-08-12 22:08:19+00', 275, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR02491792123645394945?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR02723883824084680705', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/15602708805619822034', NULL, 380, 259, NULL, '2024-01-26 14:53:15+00', '2026-08-12 22:08:17+00', 909, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR02723883824084680705?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR02852066779436417025', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/3777015083162444416', NULL, 380, 409, NULL, '2022-03-02 14:00:42+00', '2026-08-12 21:03:16+00', 1603, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR02852066779436417025?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR03176345340089466881', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/13852869881833456876', NULL, 348, 179, NULL, '2026-02-09 14:32:26+00', '2026-08-12 22:20:32+00', 185, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR03176345340089466881?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR03209347112877686785', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/4195721924351360310', NULL, 348, 350, NULL, '2026-07-09 13:38:18+00', '2026-08-12 22:05:40+00', 35, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR03209347112877686785?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR03585356149429370881', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/11039639786999122948', NULL, 380, 506, NULL, '2023-07-10 07:00:59+00', '2026-08-12 22:09:58+00', 728, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR03585356149429370881?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR03794258685782392833', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/16407130603347091979', NULL, 380, 464, NULL, '2023-07-10 17:15:34+00', '2026-08-12 20:41:40+00', 462, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR03794258685782392833?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR04722864304901062657', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/14247863957314365566', NULL, 380, 219, NULL, '2022-07-05 14:00:57+00', '2026-08-12 22:10:08+00', 1493, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR04722864304901062657?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR04926796344321900545', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/16675393639023895426', NULL, 380, 298, NULL, '2025-06-26 18:18:41+00', '2026-08-12 22:45:49+00', 111, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR04926796344321900545?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR05916050268914450433', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/4642485661238341341', NULL, 380, 441, NULL, '2022-03-02 14:00:05+00', '2026-08-12 20:47:19+00', 1603, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR05916050268914450433?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR06547811800350457857', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/3424557501140145893', NULL, 380, 296, NULL, '2024-11-04 23:21:08+00', '2026-08-12 21:03:15+00', 646, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR06547811800350457857?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR06700955885855834113', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/402678338469444117', NULL, 380, 320, NULL, '2022-03-02 15:35:25+00', '2026-08-12 20:56:23+00', 1563, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR06700955885855834113?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR06923374512490676225', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/3303515941519189982', NULL, 380, 199, NULL, '2023-04-21 16:34:32+00', '2026-08-12 22:53:23+00', 1175, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR06923374512490676225?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR07189693992722759681', 'AR04323445746671026177', 'text', NULL, 'http://127.0.0.1:4300/ads/preview/content.js?client=ads-integrity-transparency&obfuscatedCustomerId=8269230870&creativeId=664819316046&uiFeatures=12%2C54&adGroupId=132344499085&assets=%3DH4sIAAAAAAAAAOMy4eLkePN03voDzALMXJwcjb-ftV9mEmDm4uC48ffKqjQBRi4Ojrdw1tefYJYUO8fW3Sf7NoMYn3dBGc9hjCMwqVcwkScwxu0lp7a_5ZJi59g57e38-2xS7Byn5jxqms4sxcbx6tO7fc4AGupq9Y8AAAA&allowedVariations=39&sig=ACiVB_xFCT1L5LaUVNBwTIXA_5wvYpWIDQ', NULL, NULL, NULL, '2023-07-07 20:09:41+00', '2026-08-12 21:28:58+00', 887, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR07189693992722759681?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR07327211320757977089', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/17352484594880432337', NULL, 380, 434, NULL, '2022-07-05 14:00:30+00', '2026-08-12 22:26:56+00', 1494, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR07327211320757977089?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR08372683206159237121', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/8326254802601373144', NULL, 348, 431, NULL, '2024-09-20 18:57:09+00', '2026-08-12 22:27:44+00', 691, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR08372683206159237121?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR08547072192775454721', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/14847765008618810533', NULL, 380, 258, NULL, '2022-05-10 13:17:42+00', '2026-08-12 20:44:11+00', 1131, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR08547072192775454721?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR09011033603974365185', 'AR04323445746671026177', 'text', NULL, 'http://127.0.0.1:4300/ads/preview/content.js?client=ads-integrity-transparency&obfuscatedCustomerId=8269230870&creativeId=813770696380&uiFeatures=12%2C54&adGroupId=200225022400&assets=%3DH4sIAAAAAAAAAOPS5uLgaGm4uipNgJGLk2POrqbWV1wCzFycHO0QJkh0PlRUip1j57S38--zSbFzHPj6pauPVYqd49i845t7QCKTv05b85Vdio3j1ad3-5wBWAKZO1kAAAA&allowedVariations=39&sig=ACiVB_zPWLO-DNnhj0zKhIq6M5E3PpA8bg', NULL, NULL, NULL, '2026-06-22 19:59:45+00', '2026-08-12 21:29:23+00', 52, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR09011033603974365185?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR09451688426681139201', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/7536369513776324822', NULL, 348, 180, NULL, '2025-05-06 16:24:33+00', '2026-08-12 22:22:08+00', 462, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR09451688426681139201?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR10701833078742974465', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/9126657534591240498', NULL, 400, 400, NULL, '2025-09-24 16:00:23+00', '2026-08-12 21:40:50+00', 322, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR10701833078742974465?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR10879350210299953153', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/8564302371704233633', NULL, 380, 193, NULL, '2022-05-10 13:19:58+00', '2026-08-12 21:30:08+00', 1049, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR10879350210299953153?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR11874358583615291393', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/6338784227291082513', NULL, 380, 464, NULL, '2024-05-13 13:52:23+00', '2026-08-12 21:49:40+00', 818, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR11874358583615291393?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR13119885905315758081', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/16991582340737247637', NULL, 380, 263, NULL, '2023-07-08 00:42:32+00', '2026-08-12 21:19:26+00', 1000, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR13119885905315758081?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR13240723126561538049', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/8500035053609037656', NULL, 380, 219, NULL, '2023-07-07 17:10:53+00', '2026-08-12 21:26:48+00', 1126, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR13240723126561538049?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR13412464343149182977', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/9610342283774644118', NULL, 348, 464, NULL, '2026-02-09 14:32:18+00', '2026-08-12 22:25:45+00', 185, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR13412464343149182977?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR13644477308247998465', 'AR04323445746671026177', 'text', NULL, 'http://127.0.0.1:4300/ads/preview/content.js?client=ads-integrity-transparency&obfuscatedCustomerId=8269230870&creativeId=815168235795&uiFeatures=12%2C54&adGroupId=187169163528&overlay=%3DH4sIAAAAAAAAAFWOPU4DMRCFlQZtJiKKjMRPqgEhlAYqLrCrKEJbpHEo0iAN9ghbcdaWvRDR7QkQNafYS1BxDQ6CNtuQcp7mfe8r7yEzTNrZisUMbgpSm0Bqk_AWl7zDghxVirHLsfYolfHelRpGmpOKNtTWV-IR5CL67f6rb6885iFQZHeAeaCEuXO4MoyyfneccOFjf-7JuGaKmHdKl-UUjt5seo1OTGBc8e65p9wpvy2f4JS0tt08OckUlcn1nGoS86tiegFnh8YojQ_BVi9f2TWcZE3TfP5-fP-0g0k7PG-Hs4E4htE_0z_kwVTCGAEAAA&sig=ACiVB_x1ilcE0O3l1KheB1EBlKLz_wkrQw', NULL, NULL, NULL, '2026-07-09 13:39:21+00', '2026-08-12 22:05:48+00', 35, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR13644477308247998465?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR13727629464236457985', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/4011217358827147721', NULL, 348, 461, NULL, '2024-11-04 14:12:36+00', '2026-08-12 22:09:44+00', 646, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR13727629464236457985?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR13993345845160837121', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/10919048720854734650', NULL, 380, 487, NULL, '2024-01-26 14:53:33+00', '2026-08-12 21:30:57+00', 910, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR13993345845160837121?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR14200770775325081601', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/4750854221259573967', NULL, 380, 358, NULL, '2023-07-08 17:31:15+00', '2026-08-12 20:57:34+00', 1079, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR14200770775325081601?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR16357414592135036929', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/10664149174136402556', NULL, 380, 219, NULL, '2024-01-26 14:56:44+00', '2026-08-12 21:34:23+00', 880, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR16357414592135036929?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR16378403959871635457', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/15074108601491950719', NULL, 380, 411, NULL, '2022-03-02 14:09:12+00', '2026-08-12 21:08:41+00', 1603, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR16378403959871635457?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR16437154267757805569', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/12397436627011609739', NULL, 380, 288, NULL, '2024-05-13 13:31:42+00', '2026-08-12 20:45:37+00', 820, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR16437154267757805569?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR16990439221913190401', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/11975343306109183792', NULL, 380, 471, NULL, '2025-03-14 14:19:50+00', '2026-08-12 21:23:50+00', 516, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR16990439221913190401?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR17133379186677776385', 'AR04323445746671026177', 'text', 'http://127.0.0.1:4300/archive/simgad/7815669964654226156', NULL, 380, 464, NULL, '2024-01-26 16:20:09+00', '2026-08-12 22:13:08+00', 702, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR17133379186677776385?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT),
	('CR17480159519081234433', 'AR04323445746671026177', 'text', NULL, 'http://127.0.0.1:4300/ads/preview/content.js?client=ads-integrity-transparency&obfuscatedCustomerId=8269230870&creativeId=691987295943&uiFeatures=12%2C54&adGroupId=157722518546&assets=%3DH4sIAAAAAAAAAOPS4eLkuLps4Y_bzALMXJwc-yY9W9fDKMDIxclx6tLWzSeYwcwbUAVS7Bw7p72df59Nip3jya6TfZsZpdg5rsx91DQdJLXx6f4NJ1il2DhefXq3zxkAPjXL31oAAAA&allowedVariations=39&sig=ACiVB_zKJ7276CN0SvKGB3NDFyUa-pKTIA', NULL, NULL, NULL, '2024-03-01 23:45:36+00', '2026-08-12 20:56:33+00', 811, 'https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/CR17480159519081234433?region=US&format=TEXT', NULL, NULL, NULL, NULL, '{}', '{}', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', DEFAULT);
INSERT INTO public.creative_event OVERRIDING SYSTEM VALUE VALUES
	(1, 2, 'CR06609143572560084993', 'baseline', 'a42ac52a20d710bda26f37fa142690b9', '2026-11-27 04:03:36.647891+00', '2026-11-27 04:03:36.647891+00', '2026-11-27 04:03:36.647891+00'),
	(2, 2, 'CR07984100738747858945', 'baseline', '6480226d0cb6cfc3cf11c7e31534d138', '2026-11-27 04:03:36.647891+00', '2026-11-27 04:03:36.647891+00', '2026-11-27 04:03:36.647891+00'),
	(3, 2, 'CR08500885884000796673', 'baseline', 'b6813fe13282038b5bef8448255e06c5', '2026-11-27 04:03:36.647891+00', '2026-11-27 04:03:36.647891+00', '2026-11-27 04:03:36.647891+00'),
	(4, 1, 'CR00674307803887697921', 'baseline', 'c6d7ff26a469caea93620b855ae7b9aa', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(5, 1, 'CR00931213239792959489', 'baseline', '9964517ccc945d4aa798933f9cfeea23', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(6, 1, 'CR01037870514841845761', 'baseline', '5ebfa7b9f43a37bb53de880f77014157', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(7, 1, 'CR01059793436669902849', 'baseline', 'dfe3237995bb8ddc83a91eee83b28e6f', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(8, 1, 'CR02358492986070794241', 'baseline', 'f8e6f0305325a1c83d1a72bb7d7c9244', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(9, 1, 'CR02491792123645394945', 'baseline', '231dceaacb4ec71890f4c7bdb621c56b', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(10, 1, 'CR02723883824084680705', 'baseline', 'b0f2ee861c347454e72e2ce8e5b82fc4', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(11, 1, 'CR02852066779436417025', 'baseline', 'a169aa5e3413854fd880a261d9ca327c', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(12, 1, 'CR03176345340089466881', 'baseline', '4f4dd44e117d514a2cfbff6924ef1020', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(13, 1, 'CR03209347112877686785', 'baseline', '153f1944a79d1fa89bf90b291607eb2e', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(14, 1, 'CR03585356149429370881', 'baseline', '9e8232ab281fd4bc2790359bdf8a9b76', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(15, 1, 'CR03794258685782392833', 'baseline', 'e95047a08aa052a22a032a108719d562', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(16, 1, 'CR04722864304901062657', 'baseline', '11aee23e6a301c4f682c3c50880b41e2', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(17, 1, 'CR04926796344321900545', 'baseline', '1799f514335f1bcede4a8c161eba8a7b', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(18, 1, 'CR05916050268914450433', 'baseline', 'eae667e1b3881f5c35b41d7f47bb4bc0', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(19, 1, 'CR06547811800350457857', 'baseline', 'a9dfb26bb9214ab9ea94855056bcc944', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(20, 1, 'CR06700955885855834113', 'baseline', '19b70ae450e3a966e8534acabeb66f21', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(21, 1, 'CR06923374512490676225', 'baseline', '60b9d048dbbb4c5bbb37573d70e593ee', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(22, 1, 'CR07189693992722759681', 'baseline', '1cdd04f82ae4448b0587a1609dce6d2d', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(23, 1, 'CR07327211320757977089', 'baseline', 'dc3b0cc8e71772b65fff21cb706b88a1', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(24, 1, 'CR08372683206159237121', 'baseline', 'c7b564414a8aa23011f33db4ba6883c8', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(25, 1, 'CR08547072192775454721', 'baseline', '2b9328c708164bda425d2a1674d9e413', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(26, 1, 'CR09011033603974365185', 'baseline', '0f4cab0f397f3a83cf3a57f09f78d628', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(27, 1, 'CR09451688426681139201', 'baseline', '2edc7ae06aac4b42e799d20b3eac161e', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(28, 1, 'CR10701833078742974465', 'baseline', 'd05abaa9a3841d72895d3968e0fcbda3', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(29, 1, 'CR10879350210299953153', 'baseline', '1aa181d09da1c5058a2627081b68739e', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(30, 1, 'CR11874358583615291393', 'baseline', 'd9da88b7f08a70d1a6b591b2cf0e88a6', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(31, 1, 'CR13119885905315758081', 'baseline', '409886986d685c18776216991a1aa9aa', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(32, 1, 'CR13240723126561538049', 'baseline', 'a5a383448204989d4731dbf872cf6ebb', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(33, 1, 'CR13412464343149182977', 'baseline', 'e351ef43ed0ec3df72052538e4355937', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(34, 1, 'CR13644477308247998465', 'baseline', '20ec40b5d446dfa8174cd331a7dec531', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(35, 1, 'CR13727629464236457985', 'baseline', '606f6ef38a9f2ef409cce510e2131a1a', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(36, 1, 'CR13993345845160837121', 'baseline', '2133328ae057134a295e4f86f99ec656', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(37, 1, 'CR14200770775325081601', 'baseline', 'e70ae207551c19229bd984bfa26a1fac', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(38, 1, 'CR16357414592135036929', 'baseline', 'cd59f2a7695a078a6b8501f5db82866d', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(39, 1, 'CR16378403959871635457', 'baseline', 'a0eba5e2c6c94dfe3a342fe854eea4d6', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(40, 1, 'CR16437154267757805569', 'baseline', 'a0b03351a920a607ab016cd0aa031701', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(41, 1, 'CR16990439221913190401', 'baseline', '4b2ecd856598384bbd7897a45b4872a8', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(42, 1, 'CR17133379186677776385', 'baseline', '9c6f179ca90bd0b85cc1b18b5ccae5c9', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00'),
	(43, 1, 'CR17480159519081234433', 'baseline', '5c86ca9a0a20df3fc5b5d998e500134b', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00');
INSERT INTO public."fetch" VALUES
	('f78b1f4a-97f7-4163-8cc0-050c21f11b26', '{"text": "hubspot.com", "region": "2840", "end_date": null, "platform": null, "page_size": 100, "start_date": null, "political_ads": false, "advertiser_ids": [], "creative_format": null}', 'f6ec70b4eaf11268e00a0a76ba195a49415cac8f0873e229856022e839772b47', 2, '987c6395-3dcc-46b7-ade6-73ec308d175b', 'completed', 1, 1, 0, '{6b09011893455d9d18727bfc}', NULL, 3, 0, 0, 0, 'end', NULL, '2026-11-27 04:03:36.59702+00', '2026-11-27 04:03:36.647891+00', '2026-11-27 04:03:36.647891+00'),
	('2b988506-2455-4fe6-822b-5dbdc177d31f', '{"text": null, "region": null, "end_date": null, "platform": null, "page_size": 100, "start_date": null, "political_ads": false, "advertiser_ids": ["AR04323445746671026177"], "creative_format": null}', '3dbdd95dd31774d4097fee243bbfe2cdcbf55ccf662e86f35054bbff96dd7fed', 1, '987c6395-3dcc-46b7-ade6-73ec308d175b', 'completed', 1, 1, 0, '{6b0901185bfc2ebccdee78ef}', NULL, 40, 0, 0, 0, 'end', NULL, '2026-11-27 04:03:36.590795+00', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00');
INSERT INTO public.rate_slot OVERRIDING SYSTEM VALUE VALUES
	(1, 'sweeps', '2026-11-27 04:03:35.475236+00'),
	(2, 'serpapi-searches', '2026-11-27 04:03:36.618336+00'),
	(3, 'serpapi-searches', '2026-11-27 04:03:36.631172+00'),
	(4, 'variant-generations', '2026-11-27 04:04:03.501647+00');
INSERT INTO public.variant_feedback OVERRIDING SYSTEM VALUE VALUES
	(1, 1, 1, true, 4, 'The headline is better', '2026-11-27 04:04:11.317026+00', '2026-11-27 04:04:11.317026+00', false);
INSERT INTO public.watch OVERRIDING SYSTEM VALUE VALUES
	(2, 1, 'hubspot', '{}', 'hubspot.com', '2840', NULL, NULL, false, true, '2026-11-27 04:03:22.941831+00', '2026-11-27 04:03:22.941831+00', 60, 5, NULL, 7, 3, '2026-11-27 05:03:36.647891+00', '2026-11-27 04:03:36.59702+00', '2026-11-27 04:03:36.59702+00', false, '2026-11-27 04:03:36.647891+00', 'complete', NULL, NULL),
	(1, 1, 'New Balance', '{AR04323445746671026177}', NULL, NULL, NULL, NULL, false, true, '2026-11-27 04:03:17.950377+00', '2026-11-27 04:03:17.950377+00', 60, 5, 800, 7, 0, '2026-11-27 05:03:36.655583+00', '2026-11-27 04:03:36.590795+00', '2026-11-27 04:03:36.590795+00', false, '2026-11-27 04:03:36.655583+00', 'complete', NULL, NULL);
INSERT INTO public.watch_creative VALUES
	(2, 'CR06609143572560084993', '2026-11-27 04:03:36.647891+00', '2026-11-27 04:03:36.647891+00', 'a42ac52a20d710bda26f37fa142690b9', '2026-09-16 02:18:21+00', '2026-11-27 04:03:36.647891+00'),
	(2, 'CR07984100738747858945', '2026-11-27 04:03:36.647891+00', '2026-11-27 04:03:36.647891+00', '6480226d0cb6cfc3cf11c7e31534d138', '2026-09-16 02:09:19+00', '2026-11-27 04:03:36.647891+00'),
	(2, 'CR08500885884000796673', '2026-11-27 04:03:36.647891+00', '2026-11-27 04:03:36.647891+00', 'b6813fe13282038b5bef8448255e06c5', '2026-09-16 02:15:35+00', '2026-11-27 04:03:36.647891+00'),
	(1, 'CR00674307803887697921', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'c6d7ff26a469caea93620b855ae7b9aa', '2026-08-12 22:07:27+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR00931213239792959489', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '9964517ccc945d4aa798933f9cfeea23', '2026-08-12 22:25:59+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR01037870514841845761', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '5ebfa7b9f43a37bb53de880f77014157', '2026-08-12 21:04:15+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR01059793436669902849', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'dfe3237995bb8ddc83a91eee83b28e6f', '2026-08-12 21:30:58+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR02358492986070794241', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'f8e6f0305325a1c83d1a72bb7d7c9244', '2026-08-12 21:30:07+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR02491792123645394945', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '231dceaacb4ec71890f4c7bdb621c56b', '2026-08-12 22:08:19+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR02723883824084680705', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'b0f2ee861c347454e72e2ce8e5b82fc4', '2026-08-12 22:08:17+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR02852066779436417025', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'a169aa5e3413854fd880a261d9ca327c', '2026-08-12 21:03:16+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR03176345340089466881', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '4f4dd44e117d514a2cfbff6924ef1020', '2026-08-12 22:20:32+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR03209347112877686785', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '153f1944a79d1fa89bf90b291607eb2e', '2026-08-12 22:05:40+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR03585356149429370881', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '9e8232ab281fd4bc2790359bdf8a9b76', '2026-08-12 22:09:58+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR03794258685782392833', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'e95047a08aa052a22a032a108719d562', '2026-08-12 20:41:40+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR04722864304901062657', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '11aee23e6a301c4f682c3c50880b41e2', '2026-08-12 22:10:08+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR04926796344321900545', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '1799f514335f1bcede4a8c161eba8a7b', '2026-08-12 22:45:49+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR05916050268914450433', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'eae667e1b3881f5c35b41d7f47bb4bc0', '2026-08-12 20:47:19+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR06547811800350457857', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'a9dfb26bb9214ab9ea94855056bcc944', '2026-08-12 21:03:15+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR06700955885855834113', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '19b70ae450e3a966e8534acabeb66f21', '2026-08-12 20:56:23+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR06923374512490676225', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '60b9d048dbbb4c5bbb37573d70e593ee', '2026-08-12 22:53:23+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR07189693992722759681', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '1cdd04f82ae4448b0587a1609dce6d2d', '2026-08-12 21:28:58+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR07327211320757977089', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'dc3b0cc8e71772b65fff21cb706b88a1', '2026-08-12 22:26:56+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR08372683206159237121', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'c7b564414a8aa23011f33db4ba6883c8', '2026-08-12 22:27:44+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR08547072192775454721', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2b9328c708164bda425d2a1674d9e413', '2026-08-12 20:44:11+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR09011033603974365185', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '0f4cab0f397f3a83cf3a57f09f78d628', '2026-08-12 21:29:23+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR09451688426681139201', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2edc7ae06aac4b42e799d20b3eac161e', '2026-08-12 22:22:08+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR10701833078742974465', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'd05abaa9a3841d72895d3968e0fcbda3', '2026-08-12 21:40:50+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR10879350210299953153', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '1aa181d09da1c5058a2627081b68739e', '2026-08-12 21:30:08+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR11874358583615291393', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'd9da88b7f08a70d1a6b591b2cf0e88a6', '2026-08-12 21:49:40+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR13119885905315758081', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '409886986d685c18776216991a1aa9aa', '2026-08-12 21:19:26+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR13240723126561538049', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'a5a383448204989d4731dbf872cf6ebb', '2026-08-12 21:26:48+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR13412464343149182977', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'e351ef43ed0ec3df72052538e4355937', '2026-08-12 22:25:45+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR13644477308247998465', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '20ec40b5d446dfa8174cd331a7dec531', '2026-08-12 22:05:48+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR13727629464236457985', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '606f6ef38a9f2ef409cce510e2131a1a', '2026-08-12 22:09:44+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR13993345845160837121', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '2133328ae057134a295e4f86f99ec656', '2026-08-12 21:30:57+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR14200770775325081601', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'e70ae207551c19229bd984bfa26a1fac', '2026-08-12 20:57:34+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR16357414592135036929', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'cd59f2a7695a078a6b8501f5db82866d', '2026-08-12 21:34:23+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR16378403959871635457', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'a0eba5e2c6c94dfe3a342fe854eea4d6', '2026-08-12 21:08:41+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR16437154267757805569', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', 'a0b03351a920a607ab016cd0aa031701', '2026-08-12 20:45:37+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR16990439221913190401', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '4b2ecd856598384bbd7897a45b4872a8', '2026-08-12 21:23:50+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR17133379186677776385', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '9c6f179ca90bd0b85cc1b18b5ccae5c9', '2026-08-12 22:13:08+00', '2026-11-27 04:03:36.655583+00'),
	(1, 'CR17480159519081234433', '2026-11-27 04:03:36.655583+00', '2026-11-27 04:03:36.655583+00', '5c86ca9a0a20df3fc5b5d998e500134b', '2026-08-12 20:56:33+00', '2026-11-27 04:03:36.655583+00');
SELECT pg_catalog.setval('public.ad_variant_id_seq', 1, true);
SELECT pg_catalog.setval('public.board_id_seq', 1, true);
SELECT pg_catalog.setval('public.creative_event_id_seq', 43, true);
SELECT pg_catalog.setval('public.message_id_seq', 1, false);
SELECT pg_catalog.setval('public.rate_slot_id_seq', 4, true);
SELECT pg_catalog.setval('public.rejected_row_id_seq', 1, false);
SELECT pg_catalog.setval('public.variant_feedback_id_seq', 1, true);
SELECT pg_catalog.setval('public.watch_id_seq', 2, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.ad_variant
    ADD CONSTRAINT pk_ad_variant PRIMARY KEY (id);
ALTER TABLE ONLY public.advertiser
    ADD CONSTRAINT pk_advertiser PRIMARY KEY (advertiser_id);
ALTER TABLE ONLY public.board
    ADD CONSTRAINT pk_board PRIMARY KEY (id);
ALTER TABLE ONLY public.board_creative
    ADD CONSTRAINT pk_board_creative PRIMARY KEY (board_id, ad_creative_id);
ALTER TABLE ONLY public.creative
    ADD CONSTRAINT pk_creative PRIMARY KEY (ad_creative_id);
ALTER TABLE ONLY public.creative_detail
    ADD CONSTRAINT pk_creative_detail PRIMARY KEY (ad_creative_id);
ALTER TABLE ONLY public.creative_event
    ADD CONSTRAINT pk_creative_event PRIMARY KEY (id);
ALTER TABLE ONLY public.creative_region
    ADD CONSTRAINT pk_creative_region PRIMARY KEY (ad_creative_id, region);
ALTER TABLE ONLY public."fetch"
    ADD CONSTRAINT pk_fetch PRIMARY KEY (id);
ALTER TABLE ONLY public.message
    ADD CONSTRAINT pk_message PRIMARY KEY (id);
ALTER TABLE ONLY public.rate_slot
    ADD CONSTRAINT pk_rate_slot PRIMARY KEY (id);
ALTER TABLE ONLY public.rejected_row
    ADD CONSTRAINT pk_rejected_row PRIMARY KEY (id);
ALTER TABLE ONLY public.variant_feedback
    ADD CONSTRAINT pk_variant_feedback PRIMARY KEY (id);
ALTER TABLE ONLY public.watch
    ADD CONSTRAINT pk_watch PRIMARY KEY (id);
ALTER TABLE ONLY public.watch_creative
    ADD CONSTRAINT pk_watch_creative PRIMARY KEY (watch_id, ad_creative_id);
ALTER TABLE ONLY public.ad_variant
    ADD CONSTRAINT uq_ad_variant_requested_by UNIQUE (requested_by);
ALTER TABLE ONLY public.ad_variant
    ADD CONSTRAINT uq_ad_variant_token UNIQUE (token);
ALTER TABLE ONLY public.board
    ADD CONSTRAINT uq_board_user_id_name UNIQUE (user_id, name);
ALTER TABLE ONLY public.variant_feedback
    ADD CONSTRAINT uq_variant_feedback_variant_id_user_id UNIQUE (variant_id, user_id);
ALTER TABLE ONLY public.watch
    ADD CONSTRAINT uq_watch_user_id_name UNIQUE (user_id, name);
CREATE INDEX ix_ad_variant_original_ad_id ON public.ad_variant USING btree (original_ad_id);
CREATE INDEX ix_ad_variant_status_requested_at ON public.ad_variant USING btree (status, requested_at);
CREATE INDEX ix_advertiser_name ON public.advertiser USING btree (name);
CREATE INDEX ix_board_creative_ad_creative_id ON public.board_creative USING btree (ad_creative_id);
CREATE INDEX ix_creative_advertiser_id_format ON public.creative USING btree (advertiser_id, format);
CREATE INDEX ix_creative_detail_watch_id ON public.creative_detail USING btree (watch_id);
CREATE INDEX ix_creative_event_ad_creative_id ON public.creative_event USING btree (ad_creative_id);
CREATE INDEX ix_creative_event_unannounced ON public.creative_event USING btree (id) WHERE (announced_at IS NULL);
CREATE INDEX ix_creative_event_unnotified ON public.creative_event USING btree (watch_id, id) WHERE (notified_at IS NULL);
CREATE INDEX ix_creative_event_watch_id ON public.creative_event USING btree (watch_id);
CREATE INDEX ix_creative_first_shown_last_shown ON public.creative USING btree (first_shown, last_shown);
CREATE INDEX ix_creative_last_shown ON public.creative USING btree (last_shown);
CREATE INDEX ix_creative_target_domain ON public.creative USING btree (target_domain);
CREATE INDEX ix_fetch_flow_run_id ON public."fetch" USING btree (flow_run_id);
CREATE INDEX ix_fetch_query_hash_started_at ON public."fetch" USING btree (query_hash, started_at);
CREATE INDEX ix_fetch_started_at ON public."fetch" USING btree (started_at);
CREATE INDEX ix_fetch_watch_id ON public."fetch" USING btree (watch_id);
CREATE INDEX ix_message_created_at ON public.message USING btree (created_at) WHERE (delivered_at IS NULL);
CREATE INDEX ix_rate_slot_name_taken_at ON public.rate_slot USING btree (name, taken_at);
CREATE INDEX ix_rejected_row_fetch_id ON public.rejected_row USING btree (fetch_id);
CREATE INDEX ix_watch_creative_ad_creative_id ON public.watch_creative USING btree (ad_creative_id);
CREATE INDEX ix_watch_due_at ON public.watch USING btree (due_at) WHERE is_active;
ALTER TABLE ONLY public.ad_variant
    ADD CONSTRAINT fk_ad_variant_original_ad_id_creative FOREIGN KEY (original_ad_id) REFERENCES public.creative(ad_creative_id);
ALTER TABLE ONLY public.board_creative
    ADD CONSTRAINT fk_board_creative_ad_creative_id_creative FOREIGN KEY (ad_creative_id) REFERENCES public.creative(ad_creative_id);
ALTER TABLE ONLY public.board_creative
    ADD CONSTRAINT fk_board_creative_board_id_board FOREIGN KEY (board_id) REFERENCES public.board(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.creative
    ADD CONSTRAINT fk_creative_advertiser_id_advertiser FOREIGN KEY (advertiser_id) REFERENCES public.advertiser(advertiser_id);
ALTER TABLE ONLY public.creative_detail
    ADD CONSTRAINT fk_creative_detail_ad_creative_id_creative FOREIGN KEY (ad_creative_id) REFERENCES public.creative(ad_creative_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.creative_detail
    ADD CONSTRAINT fk_creative_detail_watch_id_watch FOREIGN KEY (watch_id) REFERENCES public.watch(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.creative_event
    ADD CONSTRAINT fk_creative_event_ad_creative_id_creative FOREIGN KEY (ad_creative_id) REFERENCES public.creative(ad_creative_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.creative_event
    ADD CONSTRAINT fk_creative_event_watch_id_watch FOREIGN KEY (watch_id) REFERENCES public.watch(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.creative_region
    ADD CONSTRAINT fk_creative_region_ad_creative_id_creative FOREIGN KEY (ad_creative_id) REFERENCES public.creative(ad_creative_id) ON DELETE CASCADE;
ALTER TABLE ONLY public."fetch"
    ADD CONSTRAINT fk_fetch_watch_id_watch FOREIGN KEY (watch_id) REFERENCES public.watch(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.rejected_row
    ADD CONSTRAINT fk_rejected_row_fetch_id_fetch FOREIGN KEY (fetch_id) REFERENCES public."fetch"(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.variant_feedback
    ADD CONSTRAINT fk_variant_feedback_variant_id_ad_variant FOREIGN KEY (variant_id) REFERENCES public.ad_variant(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.watch_creative
    ADD CONSTRAINT fk_watch_creative_ad_creative_id_creative FOREIGN KEY (ad_creative_id) REFERENCES public.creative(ad_creative_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.watch_creative
    ADD CONSTRAINT fk_watch_creative_watch_id_watch FOREIGN KEY (watch_id) REFERENCES public.watch(id) ON DELETE CASCADE;
